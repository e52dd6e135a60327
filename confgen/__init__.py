"""Configuration of Asterisk from the tenants, in this order:

1. `render/` turns tenants into typed rows: SIP objects (tenant_sip.py), the dialplan (tenant_dialplan.py), mailboxes.
2. From the rows come the texts of a revision (tenant_files.py), and beside each text its rows as JSON.
3. `publish/` writes a revision (revision.py) and makes it current (publishing.py).
4. The rows that differ go to the database that Asterisk looks into (sip_database.py) and, line by line, to the running dialplan
   (dialplan_changes.py). Asterisk reads again only the files that no row covers, and confirms (asterisk_reload.py).

Nothing reads a rendered text to learn what it says.
"""
