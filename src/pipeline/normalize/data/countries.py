"""Makes countries.txt, names of countries folded as fold.rs folds them and their alpha-2 codes, from the packages that refresh.sh
fetched into a folder.

Codes are ISO 3166-1's alpha-2 and alpha-3, and XK for Kosovo as CLDR has it. Names are those of CLDR in the languages below, those
of each country in its own official languages, ISO's short names in English, and i18n-iso-countries' in the languages of most leads.
country_names.txt has the last word. A name that two countries share and nothing decides is an error; of three letters or less only
codes and country_names.txt's are taken, since abbreviations of one language are words of another.
"""

import json
import pathlib
import re
import sys
import unicodedata

HERE = pathlib.Path(__file__).parent
CLDR = "en de fr es pt it nl pl cs sk hu ro bg hr sl sr sv da nb fi el tr ru uk lt lv et ja ko zh zh-Hant ar he id".split()
MORE = "en de fr es pt it nl pl".split()

LETTERS = {"æ": "ae", "œ": "oe", "ß": "ss", "þ": "th", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ħ": "h", "ŧ": "t", "ə": "e"}
LETTERS["ς"] = "σ"
UNSPOKEN = re.compile("['\"`\u2018-\u201f\u02b9\u02bb\u02bc\u05f3\u05f4\uff07\uff02]")
MARKS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8"
    "\u06ea-\u06ed\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]"
)


def is_letter(c):
    return c.isalnum() or "\u0900" <= c <= "\u109f" or "\u1780" <= c <= "\u17ff" or c in "\u3099\u309a"


def key(name):
    """As `key` in country.rs."""
    lowered = unicodedata.normalize("NFKD", name.replace("´", "")).lower()
    plain = "".join(LETTERS.get(c, c) for c in MARKS.sub("", UNSPOKEN.sub("", lowered)))
    text, part = "", 0
    for c in plain:
        if is_letter(c):
            text, part = text + c, part + 1
        elif c == "&":
            text, part = text + " and ", 0
        else:
            text, part = text + ("" if c == "." and part == 1 else " "), 0
    folded = " ".join(unicodedata.normalize("NFC", text).split())
    words = ("saint" if word == "st" != folded else word for word in folded.split() if word != "the")
    return re.sub(r"\b(?<!\S)([a-z0-9]) (?=[a-z0-9](?:\s|$))", r"\1", " ".join(words))


def own_names():
    """Each name with its code, or `?`, and its line."""
    for number, line in enumerate((HERE / "country_names.txt").read_text(encoding="utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            code, names = line.split(" ", 1)
            for name in names.split(";"):
                yield key(name), code, f"country_names.txt:{number}: {name.strip()}"


def main(fetched):
    packages = pathlib.Path(fetched)
    mappings = json.loads((packages / "cldr-core/package/supplemental/codeMappings.json").read_text())["supplemental"]["codeMappings"]
    spoken = json.loads((packages / "cldr-core/package/supplemental/territoryInfo.json").read_text())["supplemental"]["territoryInfo"]
    iso = (packages / "iso3166/iso3166/__init__.py").read_text(encoding="utf-8")
    iso = re.findall(r'Country\(\s*"([^"]+)",\s*"([A-Z]{2})",\s*"([A-Z]{3})"', iso)
    codes = {"XK": mappings["XK"]["_alpha3"]} | {alpha_2: alpha_3 for _, alpha_2, alpha_3 in iso}

    def cldr(language):
        path = packages / f"cldr-localenames-full/package/main/{language}/territories.json"
        if path.exists():
            territories = json.loads(path.read_text(encoding="utf-8"))["main"][language]["localeDisplayNames"]["territories"]
            for territory, name in territories.items():
                # `HK-alt-short` is another name of HK.
                code, _, variant = territory.partition("-alt-")
                if code in codes and (variant or name != code):
                    yield name, code

    given = [(name, code) for language in CLDR for name, code in cldr(language)]
    for code in codes:
        for language, use in spoken.get(code, {}).get("languagePopulation", {}).items():
            if use.get("_officialStatus"):
                given += [(name, of) for name, of in cldr(language.replace("_", "-")) if of == code]
    given += [(name, alpha_2) for name, alpha_2, _ in iso]
    for language in MORE:
        countries = json.loads((packages / f"i18n-iso-countries/package/langs/{language}.json").read_text(encoding="utf-8"))["countries"]
        given += [(name, code) for code, names in countries.items() for name in ([names] if isinstance(names, str) else names)]

    found = {}
    for name, code in given:
        folded = key(name)
        # Swedish `S:t` is initials that look like a word.
        if key(folded) == folded and (len(folded) > 3 or not folded.isascii()):
            found.setdefault(folded, set()).add(code)
    for alpha_2, alpha_3 in codes.items():
        found[alpha_2.lower()], found[alpha_3.lower()] = {alpha_2}, {alpha_2}

    problems, said = [], {}
    for name, code, place in own_names():
        if code != "?" and code not in codes:
            problems.append(f"{place}: no such code")
        elif said.setdefault(name, code) != code:
            problems.append(f"{place}: is another country above")
        if code == "?":
            found.pop(name, None)
        else:
            found[name] = {code}
    problems += [f"{name}: {', '.join(sorted(of))}; decide in country_names.txt" for name, of in sorted(found.items()) if len(of) > 1]
    if problems:
        sys.exit("\n".join(problems))
    lines = sorted((name.encode(), code) for name, (code,) in found.items())
    (HERE / "countries.txt").write_bytes(b"".join(name + b"\t" + code.encode() + b"\n" for name, code in lines))
    print(f"countries.txt: {len(lines)} names of {len(codes)} countries")


if __name__ == "__main__":
    main(sys.argv[1])
