# The next version of an image: the same with one more migration of each database that it has.
ARG IMAGE
# hadolint ignore=DL3006
FROM ${IMAGE}
USER 0
COPY next.py /tmp/
RUN for folder in /app/lib/python3*/site-packages/*/migrations/versions; do \
    if [ -d "$folder" ]; then cp /tmp/next.py "$folder/9999_next.py"; fi; done
USER 10001:10001
