"""Names of companies and of those who look after them, from pools that a seeded Faker fills once per world.

The pools are combined by NumPy, so a million names cost no call of Faker each; names may repeat, ids do
not. Other attributes of an account are drawn where its life begins, in `novacrm_lives` and `fleet_lives`.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
from faker import Faker
from numpy.typing import NDArray

from cx_intel.demo_data.companies.dach_places import COUNTRIES, TOWNS
from cx_intel.demo_data.draws import generator
from cx_intel.demo_data.timeline import Ints

_POOL = 500
_WORDS_EN = {
    "technology": ("Software", "Systems", "Labs", "Data", "Cloud"),
    "healthcare": ("Health", "Medical", "Clinics", "Diagnostics", "Care"),
    "finance": ("Capital", "Financial", "Advisors", "Payments", "Insurance"),
    "manufacturing": ("Manufacturing", "Industries", "Tooling", "Plastics", "Components"),
    "retail": ("Retail", "Stores", "Outfitters", "Market", "Goods"),
    "logistics": ("Logistics", "Freight", "Shipping", "Warehousing", "Transport"),
    "professional_services": ("Consulting", "Partners", "Associates", "Advisory", "Legal"),
    "real_estate": ("Properties", "Realty", "Estates", "Homes", "Facilities"),
    "media": ("Media", "Studios", "Publishing", "Broadcasting", "Creative"),
    "education": ("Learning", "Academy", "Education", "Institute", "Tutoring"),
}
INDUSTRIES_EN = tuple(_WORDS_EN)
_LEGAL_EN = ("Inc", "LLC", "Ltd", "Group", "Co")

_WORDS_DE = {
    "Außendienst & Vertrieb": ("Vertrieb", "Medizintechnik", "Großhandel", "Getränke", "Werkzeuge"),
    "Logistik & Transport": ("Logistik", "Spedition", "Transporte", "Kurierdienst", "Kühltransporte"),
    "Facility Management": (
        "Gebäudeservice",
        "Facility Services",
        "Gebäudereinigung",
        "Hausmeisterdienst",
        "Objektservice",
    ),
    "Handwerk & Baugewerbe": (
        "Elektrotechnik",
        "Sanitär & Heizung",
        "Dachbau",
        "Malerbetrieb",
        "Schreinerei",
    ),
    "Kommunaler Betrieb": ("Stadtwerke", "Bauhof", "Abfallwirtschaft", "Stadtreinigung", "Kommunalservice"),
    "Gesundheitswesen": ("Pflegedienst", "Rettungsdienst", "Sanitätshaus", "Ambulanz", "Sozialstation"),
    "Baugewerbe": ("Bau", "Tiefbau", "Hochbau", "Straßenbau", "Gerüstbau"),
}
INDUSTRIES_DE = tuple(_WORDS_DE)
MUNICIPAL = INDUSTRIES_DE.index("Kommunaler Betrieb")
_LEGAL_DACH = {
    "DE": ("GmbH", "GmbH & Co. KG", "AG", "OHG", "e.K."),
    "AT": ("GmbH", "GmbH & Co KG", "AG", "OG", "e.U."),
    "CH": ("AG", "GmbH", "AG", "SA", "GmbH"),
}


def _pool(values: list[str]) -> NDArray[np.object_]:
    return np.array(list(dict.fromkeys(values)), dtype=object)


def _faker(locale: str, seed: int) -> Faker:
    faker = Faker(locale)
    faker.seed_instance(seed)
    return faker


def _take(pool: NDArray[np.object_], uniform: NDArray[np.float64]) -> NDArray[np.object_]:
    return pool[(uniform * len(pool)).astype(np.int64)]


def english_companies(seed: int, industry: Ints) -> NDArray[np.object_]:
    """A name per account, such as "Haynes Logistics Inc", from codes into INDUSTRIES_EN."""
    faker = _faker("en_US", seed)
    surnames = _pool([faker.last_name() for _ in range(_POOL)])
    words = np.array([_WORDS_EN[name] for name in INDUSTRIES_EN], dtype=object)
    draws = generator(seed, "company names").random((len(industry), 6))
    first, second, third = (_take(surnames, draws[:, column]) for column in range(3))
    word = words[industry, (draws[:, 3] * words.shape[1]).astype(np.int64)]
    legal = _take(np.array(_LEGAL_EN, dtype=object), draws[:, 4])
    names = first + " " + word + " " + legal
    for low, high, pattern in (
        (0.45, 0.65, lambda at: first[at] + " " + word[at]),
        (0.65, 0.80, lambda at: first[at] + "-" + second[at] + " " + legal[at]),
        (0.80, 0.90, lambda at: first[at] + ", " + second[at] + " and " + third[at]),
        (0.90, 1.00, lambda at: first[at] + " & " + second[at] + " " + word[at]),
    ):
        at = np.flatnonzero((draws[:, 5] >= low) & (draws[:, 5] < high))
        names[at] = pattern(at)
    return names


def german_companies(seed: int, industry: Ints, country: Ints, region: Ints) -> NDArray[np.object_]:
    """A name per account, such as "Kuhl Spedition GmbH" or "Stadtwerke Amberg", in a town of its
    region; from codes into INDUSTRIES_DE, COUNTRIES and REGIONS.
    """
    faker = _faker("de_DE", seed)
    surnames = _pool([faker.last_name() for _ in range(_POOL)])
    words = np.array([_WORDS_DE[name] for name in INDUSTRIES_DE], dtype=object)
    legal_forms = np.array([_LEGAL_DACH[code] for code in COUNTRIES], dtype=object)
    draws = generator(seed, "company names").random((len(industry), 6))
    first, second = (_take(surnames, draws[:, column]) for column in range(2))
    word = words[industry, (draws[:, 2] * words.shape[1]).astype(np.int64)]
    legal = legal_forms[country, (draws[:, 3] ** 1.6 * legal_forms.shape[1]).astype(np.int64)]
    town = TOWNS[region, (draws[:, 4] * TOWNS.shape[1]).astype(np.int64)]
    pattern = np.where(industry == MUNICIPAL, 9.0, draws[:, 5])
    names = first + " " + word + " " + legal
    for low, high, compose in (
        (0.55, 0.70, lambda at: word[at] + " " + town[at] + " " + legal[at]),
        (0.70, 0.85, lambda at: first[at] + " & " + second[at] + " " + word[at] + " " + legal[at]),
        (0.85, 1.00, lambda at: first[at] + " & Söhne " + word[at] + " " + legal[at]),
        (9.00, 9.01, lambda at: word[at] + " " + town[at]),
    ):
        at = np.flatnonzero((pattern >= low) & (pattern < high))
        names[at] = compose(at)
    return names


def people(seed: int, locale: str, count: int) -> list[str]:
    """`count` different full names; a longer list begins with the shorter one."""
    faker = _faker(locale, seed + 1)
    names: dict[str, None] = {}
    while len(names) < count:
        names[f"{faker.first_name()} {faker.last_name()}"] = None
    return list(names)


def first_and_last_names(
    seed: int, locale: str, first: NDArray[np.float64], last: NDArray[np.float64]
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """First and last names of people, and both as an address of e-mail writes them, chosen by numbers from 0 to 1."""
    faker = _faker(locale, seed + 2)
    firsts = _pool([faker.first_name() for _ in range(_POOL)])
    lasts = _pool([faker.last_name() for _ in range(_POOL)])
    written = (np.array([_in_address(name) for name in pool], dtype=object) for pool in (firsts, lasts))
    first_written, last_written = written
    return _take(firsts, first), _take(lasts, last), _take(first_written, first), _take(last_written, last)


def _in_address(name: str) -> str:
    for letter, spelt in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        name = name.lower().replace(letter, spelt)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")
