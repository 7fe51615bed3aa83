"""The states and cantons in which the fleet world's customers sit, in three countries, and towns in each.

Only places belong here; companies are named after them in `company_names`, customers are put there in
`fleet_accounts`.
"""

from __future__ import annotations

import numpy as np

COUNTRIES = ("DE", "AT", "CH")
_TOWNS: dict[str, dict[str, tuple[str, ...]]] = {
    "DE": {
        "Nordrhein-Westfalen": (
            "Köln",
            "Dortmund",
            "Bielefeld",
            "Aachen",
            "Siegen",
            "Paderborn",
            "Krefeld",
            "Hamm",
        ),
        "Bayern": (
            "München",
            "Augsburg",
            "Regensburg",
            "Ingolstadt",
            "Amberg",
            "Rosenheim",
            "Bamberg",
            "Kempten",
        ),
        "Baden-Württemberg": (
            "Stuttgart",
            "Ulm",
            "Heilbronn",
            "Reutlingen",
            "Aalen",
            "Offenburg",
            "Ravensburg",
            "Pforzheim",
        ),
        "Niedersachsen": (
            "Hannover",
            "Oldenburg",
            "Göttingen",
            "Celle",
            "Stade",
            "Lingen",
            "Hameln",
            "Emden",
        ),
        "Hessen": ("Frankfurt", "Kassel", "Gießen", "Fulda", "Hanau", "Marburg", "Wetzlar", "Darmstadt"),
        "Sachsen": ("Leipzig", "Dresden", "Chemnitz", "Zwickau", "Görlitz", "Plauen", "Freiberg", "Bautzen"),
        "Berlin": (
            "Spandau",
            "Pankow",
            "Köpenick",
            "Tempelhof",
            "Reinickendorf",
            "Lichtenberg",
            "Neukölln",
            "Steglitz",
        ),
        "Hamburg": (
            "Altona",
            "Harburg",
            "Bergedorf",
            "Wandsbek",
            "Eimsbüttel",
            "Billbrook",
            "Barmbek",
            "Rahlstedt",
        ),
    },
    "AT": {
        "Wien": (
            "Favoriten",
            "Floridsdorf",
            "Donaustadt",
            "Liesing",
            "Simmering",
            "Ottakring",
            "Döbling",
            "Meidling",
        ),
        "Niederösterreich": (
            "St. Pölten",
            "Krems",
            "Baden",
            "Amstetten",
            "Mödling",
            "Tulln",
            "Zwettl",
            "Schwechat",
        ),
        "Oberösterreich": ("Linz", "Wels", "Steyr", "Leonding", "Traun", "Braunau", "Gmunden", "Vöcklabruck"),
        "Steiermark": (
            "Graz",
            "Leoben",
            "Kapfenberg",
            "Knittelfeld",
            "Weiz",
            "Bruck",
            "Feldbach",
            "Gleisdorf",
        ),
        "Tirol": ("Innsbruck", "Kufstein", "Wörgl", "Schwaz", "Hall", "Lienz", "Imst", "Telfs"),
    },
    "CH": {
        "Zürich": ("Zürich", "Winterthur", "Uster", "Dübendorf", "Dietikon", "Wetzikon", "Horgen", "Bülach"),
        "Bern": ("Bern", "Biel", "Thun", "Köniz", "Burgdorf", "Langenthal", "Spiez", "Lyss"),
        "Aargau": ("Aarau", "Baden", "Wettingen", "Wohlen", "Brugg", "Zofingen", "Lenzburg", "Rheinfelden"),
        "Luzern": ("Luzern", "Emmen", "Kriens", "Horw", "Sursee", "Ebikon", "Hochdorf", "Willisau"),
        "St. Gallen": (
            "St. Gallen",
            "Rapperswil",
            "Wil",
            "Gossau",
            "Buchs",
            "Rorschach",
            "Altstätten",
            "Uzwil",
        ),
    },
}
REGIONS: tuple[str, ...] = tuple(region for country in COUNTRIES for region in _TOWNS[country])
TOWNS = np.array([towns for country in COUNTRIES for towns in _TOWNS[country].values()], dtype=object)
"""Eight towns, or districts of a city state, for each of REGIONS."""

_NUMBERS = np.array([len(_TOWNS[country]) for country in COUNTRIES])
REGION_SPANS = np.stack([np.cumsum(_NUMBERS) - _NUMBERS, _NUMBERS], axis=1)
"""For each of COUNTRIES, its first region and the number of its regions."""
