#!/usr/bin/env bash
# pack.sh RELEASE ARCHITECTURE...: packages of what lies in the folder RELEASE, into RELEASE/packages. NFPM and CDX name the programs that make
# packages and bills of materials, SOURCE_DATE_EPOCH the time that every file in them gets.
set -euo pipefail
umask 022
release=$1
shift
version=$(cat "$release/version")
packages=$release/packages
rm -rf "$packages"
mkdir -p "$packages"

# The files of the archive, in a folder whose modes do not hang on the checkout's.
archive() { # ARCHITECTURE
  local name=flb-filter-rgcn-$version-linux-$1 stage
  stage=$(mktemp -d)
  mkdir "$stage/$name"
  cp -R conf LICENSE README.md "$stage/$name"
  cp "$release/linux-$1/flb-filter_rgcn.so" "$release/linux-$1/rgcn" "$release/third-party-licences.txt" "$stage/$name"
  chmod -R u=rwX,go=rX "$stage"
  chmod 644 "$stage/$name/flb-filter_rgcn.so"
  tar -C "$stage" --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf - "$name" |
    gzip -9n >"$packages/$name.tar.gz"
  rm -rf "$stage"
}

for arch in "$@"; do
  export RGCN_ARCH=$arch RGCN_VERSION=$version RGCN_FILES=$release/linux-$arch RGCN_LICENCES=$release/third-party-licences.txt
  for format in deb rpm; do
    "$NFPM" package --config build/release/package/nfpm.yaml --packager $format --target "$packages/" >/dev/null
  done
  archive "$arch"
  # The first checksums in it are those of the program that makes it, which are others where another Go built that.
  "$CDX" bin -json -noserial -notimestamp -std -version "$version" "$release/linux-$arch/rgcn" |
    awk '/"hashes": \[/ && !seen++ { own = 1 } !own { print } own && /\]/ { own = 0 }' >"$packages/flb-filter-rgcn-$version-linux-$arch.cdx.json"
done
(cd "$packages" && sha256sum -- * >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
ls -l "$packages"
