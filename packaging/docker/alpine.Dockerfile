# Wasp on Alpine (x86_64: there is no build for musl on other processors), with the Node.js that it
# wants:
#
#     docker build -t wasp --build-arg WASP_VERSION=0.25.0 - <alpine.Dockerfile
#     docker run --rm -it -v "$PWD:/home/node/app" -w /home/node/app wasp start

ARG NODE_VERSION=24
FROM node:${NODE_VERSION}-alpine

# The installer reads these as it does anywhere. Being arguments of the build, they are not set in the
# image: what is sent by Wasp inside it is up to those who run it.
ARG WASP_VERSION=0.25.0
ARG WASP_INSTALL_PREFIX=/usr/local
ARG WASP_TELEMETRY_DISABLE=1
ARG INSTALLER=https://get.wasp.sh/install.sh

# The static build needs no libgmp. One layer, so that what is only needed for installing takes no
# room. Alpine keeps only the newest revision of a package, so a pinned one would soon fail.
# hadolint ignore=DL3018
RUN apk add --no-cache ca-certificates \
    && apk add --no-cache --virtual .installing curl \
    && curl -fsSL -o /tmp/install.sh "$INSTALLER" \
    && sh /tmp/install.sh --no-modify-path \
    && rm /tmp/install.sh \
    && apk del .installing

# The user "node" of the base image, by number, as those want it who refuse to run root's images.
USER 1000:1000
WORKDIR /home/node
ENTRYPOINT ["wasp"]
CMD ["version"]
