#!/bin/sh
# The version of what is checked out, for `make release`. A commit with a tag v1.2.3 is 1.2.3; one after it 1.2.3+4.gabcdef0, by how many and
# which; without any tag 0.0.0+412.gabcdef0. Packages sort by it: tag v1.2.0-rc1 is 1.2.0~rc1, which comes before 1.2.0.
# Changed files add .dirty. Where there is no git, make takes VERSION=...
set -e
cd "$(dirname "$0")/../.."
# A copy of the sources may lie in another project's repository.
if [ "$(git rev-parse --show-toplevel 2>/dev/null)" != "$(pwd -P)" ] || ! commit=$(git rev-parse --short=12 HEAD 2>/dev/null); then
  echo "0.0.0+unknown"
  exit
fi
dirty=
git diff --quiet HEAD -- || dirty=.dirty
if tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null); then
  after=$(git rev-list --count "$tag..HEAD")
  version=$(printf %s "${tag#v}" | tr - '~')
else
  after=$(git rev-list --count HEAD)
  version=0.0.0
fi
[ "$after" = 0 ] || version=$version+$after.g$commit
[ -z "$dirty" ] || case $version in
  *+*) version=$version.dirty ;;
  *) version=$version+dirty ;;
esac
echo "$version"
