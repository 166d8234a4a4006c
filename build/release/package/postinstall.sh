#!/bin/sh
# After an installation or an upgrade, of the .deb and the .rpm: the directory for graph and model, which no package owns, since what was
# learned outlives it. It belongs to whom Fluent Bit's service runs as: root, as Fluent Bit's own packages have it, or User= of the unit.
set -e
state=/var/lib/flb-filter-rgcn
if [ ! -d "$state" ]; then
  mkdir -p "$state"
  chmod 0750 "$state"
  user=
  if command -v systemctl >/dev/null 2>&1; then
    user=$(systemctl show --property=User --value fluent-bit.service 2>/dev/null) || user=
  fi
  if [ -n "$user" ] && id "$user" >/dev/null 2>&1; then
    chown "$user:" "$state"
  fi
fi
echo "flb-filter-rgcn: Fluent Bit loads the filter when it is told to: see /etc/fluent-bit/rgcn/plugins.conf or /usr/share/flb-filter-rgcn/systemd"
echo "flb-filter-rgcn: a Fluent Bit that runs keeps the version that it has until it is restarted"
