# The image of the services agi, ami and provision. runtime/images.py makes its base and its context: no registry, no network.
ARG BASE
FROM ${BASE}
COPY wheels /opt/wheels
COPY requirements.lock /opt/requirements.lock
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --no-index --find-links /opt/wheels --require-hashes -r /opt/requirements.lock \
 && rm -r /opt/wheels
COPY source /opt/centralka
RUN echo /opt/centralka > /opt/venv/lib/python3.11/site-packages/centralka.pth \
 && printf '#!/bin/sh\nexec /opt/venv/bin/python -c "from centralka.cli.app import main; main()" "$@"\n' > /usr/local/bin/centralka \
 && chmod 755 /usr/local/bin/centralka && chmod -R a+rX /opt/centralka && /opt/venv/bin/python -m compileall -q /opt/centralka
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 CENTRALKA_HOME=/srv/centralka
USER 65534:65534
