#!/bin/sh
# After a removal of the .deb: what was learned stays until the package is purged.
set -e
if [ "$1" = purge ]; then
  rm -rf /var/lib/flb-filter-rgcn
  rmdir --ignore-fail-on-non-empty /etc/fluent-bit/rgcn /etc/fluent-bit 2>/dev/null || true
fi
