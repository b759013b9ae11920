#!/usr/bin/env bash
# What the workflow Release asks of git and GitHub; see docs/releasing.md. May be run again after it broke.
#
#   scripts/release.sh check VERSION     may HEAD be released as VERSION (X.Y.Z or vX.Y.Z)? Prints X.Y.Z
#   scripts/release.sh publish VERSION   tags HEAD vX.Y.Z, makes the release, and moves vX unless a newer X.* has it
set -euo pipefail

fail() {
  echo "::error::$*" >&2
  exit 1
}

number='(0|[1-9][0-9]*)'
pattern="^$number\.$number\.$number$"
command="${1:?check or publish}"
version="${2:?X.Y.Z}"
version="${version#v}"
[[ "$version" =~ $pattern ]] || fail "$version is no X.Y.Z"
tag="v$version"
moving="v${version%%.*}"

is_head() {
  test "$(git rev-parse "$1^{commit}")" = "$(git rev-parse HEAD)"
}

check() {
  local declared
  declared="$(node -p 'require("./package.json").version')"
  test "$declared" = "$version" || fail "package.json has version $declared, not $version; set it in a pull request first"
  git merge-base --is-ancestor HEAD refs/remotes/origin/main ||
    fail "this commit is not on main; only what was merged is released"
  # The very same tag is there when this is run again, or when pushing it began this.
  if git rev-parse --quiet --verify "refs/tags/$tag" > /dev/null; then
    is_head "refs/tags/$tag" || fail "$tag is another commit already; take the next version"
  fi
  echo "$version"
}

newest_of_line() {
  git ls-remote --refs --tags origin "refs/tags/$moving.*" |
    sed 's,.*refs/tags/v,,' | grep -E "$pattern" | sort --version-sort | tail -n 1
}

publish() {
  git tag "$tag" 2> /dev/null || is_head "refs/tags/$tag" || fail "$tag is another commit already"
  git push --quiet origin "refs/tags/$tag"
  gh release view "$tag" > /dev/null 2>&1 || gh release create "$tag" --verify-tag --generate-notes
  local newest
  newest="$(newest_of_line)"
  if test "$newest" != "$version"; then
    echo "$moving stays where it is: v$newest is newer than $tag"
    return
  fi
  git tag --force "$moving" > /dev/null
  git push --quiet --force origin "refs/tags/$moving"
  echo "$moving is $tag"
}

case "$command" in
  check) check ;;
  publish) publish ;;
  *) fail "$command is neither check nor publish" ;;
esac
