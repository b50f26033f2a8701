# The released image: one static binary, no emulators, no shell, nobody's user, a root that can be read-only.
#   docker build -t webmail . && docker run --read-only -v webmail-data:/data -p 8080:8080 webmail serve ...
FROM node:20-bookworm-slim AS page
WORKDIR /src/frontend/ui
COPY frontend/ui/package.json frontend/ui/package-lock.json frontend/ui/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend/ui ./
COPY frontend/openapi.yaml ../openapi.yaml
RUN npm run build

FROM golang:1.26-bookworm AS server
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
COPY --from=page /src/frontend/dist ./frontend/dist
ARG VERSION=development
RUN CGO_ENABLED=0 go build -tags release -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /webmail ./cmd/webmail \
 && install -d -m 0700 -o 65532 -g 65532 /data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=server /webmail /webmail
COPY --from=server --chown=65532:65532 /data /data
USER 65532:65532
VOLUME /data
ENV WEBMAIL_DATA=/data
EXPOSE 8080
ENTRYPOINT ["/webmail"]
