"""The parameters that each maker documents, of those that we use: {N} is a number from 1 (Snom's keys: from 0)."""

YEALINK = """
static.auto_provision.server.url static.auto_provision.power_on static.auto_provision.repeat.enable
static.auto_provision.repeat.minutes static.auto_provision.pnp_enable static.auto_provision.dhcp_option.enable
static.security.user_password static.network.lldp.enable lang.gui lang.wui voice.tone.country
local_time.ntp_server1 local_time.manual_ntp_srv_prior local_time.time_format local_time.time_zone local_time.summer_time
local_time.dst_time_type local_time.start_time local_time.end_time local_time.offset_time
remote_phonebook.data.{N}.name remote_phonebook.data.{N}.url directory.incoming_call_match_enable
account.{N}.enable account.{N}.label account.{N}.display_name account.{N}.auth_name account.{N}.user_name account.{N}.password
account.{N}.sip_server.{N}.address account.{N}.sip_server.{N}.port account.{N}.sip_server.{N}.transport_type
account.{N}.sip_server.{N}.expires account.{N}.srtp_encryption account.{N}.dtmf.type account.{N}.subscribe_mwi
account.{N}.codec.pcma.enable account.{N}.codec.pcma.priority account.{N}.codec.pcmu.enable account.{N}.codec.pcmu.priority
account.{N}.codec.g722.enable account.{N}.codec.g722.priority account.{N}.codec.g729.enable account.{N}.codec.opus.enable
voice_mail.number.{N} linekey.{N}.type linekey.{N}.line linekey.{N}.value linekey.{N}.label
"""
"""Yealink, 'SIP-T2 Series/T4 Series/T5 Series IP Phones Auto Provisioning Guide' V84 and V86, appendix 'Description of
Configuration Parameters in CFG Files'; the template files common.cfg and mac.cfg that Yealink publishes with each firmware."""

SNOM = """
setting_server prov_polling_enabled prov_polling_mode prov_polling_period pnp_config admin_mode admin_mode_password http_user
http_pass language web_language tone_scheme ntp_server timezone utc_offset dst user_active user_realname user_idle_text user_name
user_pname user_pass user_host user_outbound user_expiry user_srtp user_savp codec_priority_list user_mailbox
"""
"""Snom, https://service.snom.com/display/wiki/Desk+Phone+Configuration+Files and https://service.snom.com/display/wiki/Settings"""
