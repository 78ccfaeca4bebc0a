# Wasp on Debian, with the Node.js that it wants:
#
#     docker build -t wasp --build-arg INSTALLER_SHA256=HEX - <slim.Dockerfile
#     docker run --rm -it -v "$PWD:/home/node/app" -w /home/node/app wasp start

ARG NODE_VERSION=24
FROM node:${NODE_VERSION}-bookworm-slim

# The installer reads these as it does anywhere. Being arguments of the build, they are not set in the
# image: what is sent by Wasp inside it is up to those who run it.
ARG WASP_VERSION=0.25.0
ARG WASP_INSTALL_PREFIX=/usr/local
ARG WASP_TELEMETRY_DISABLE=1
# Nothing but this very file is run. SHA256SUMS of a release has its digest (docs/verify.md); name the release's own
# address in INSTALLER, since what get.wasp.sh has changes with each.
ARG INSTALLER=https://get.wasp.sh/install.sh
ARG INSTALLER_SHA256

# One layer, so that what is only needed for installing takes no room. Debian keeps only the newest
# revision of a package, so a pinned one would soon fail.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libgmp10 zlib1g \
    && curl -fsSL --proto =https -o /tmp/install.sh "$INSTALLER" \
    && echo "${INSTALLER_SHA256:?is to be given, see above}  /tmp/install.sh" >/tmp/SHA256SUMS \
    && sha256sum -c /tmp/SHA256SUMS \
    && sh /tmp/install.sh --no-modify-path \
    && rm /tmp/install.sh /tmp/SHA256SUMS \
    && apt-get purge -y --auto-remove curl \
    && rm -rf /var/lib/apt/lists/*

# The user "node" of the base image, by number, as those want it who refuse to run root's images.
USER 1000:1000
WORKDIR /home/node
ENTRYPOINT ["wasp"]
CMD ["version"]
