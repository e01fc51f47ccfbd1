"""The demo shop's products. Dates are relative to today, so events never run out."""

from __future__ import annotations

from typing import Any

EVENTS: tuple[dict[str, Any], ...] = (
    {
        "slug": "harbour-lights-festival",
        "category": "festival",
        "name": "Harbour Lights Festival",
        "tagline": "Two stages, one harbour, and a lantern for every wish.",
        "description": (
            "Wrap up warm and stay until the lanterns go out. Twelve bands play on two floating "
            "stages while the old warehouses glow in every colour, and the street kitchens along "
            "the quay serve until midnight.\n\nGates open at 16:00. Standing, with a quiet seated "
            "deck for those who need it."
        ),
        "venue": "Harbourside Arena",
        "city": "Bristol",
        "country": "GB",
        "prices": ("60.00", "70.00", "11500"),
        "in_days": 26,
        "at": "16:00",
    },
    {
        "slug": "midnight-cartography",
        "category": "concert",
        "name": "Midnight Cartography",
        "tagline": "The synth trio's new album, played in the dark from start to end.",
        "description": (
            "Three people, eleven synthesisers and a room full of light. “Maps for Nobody” is the "
            "record of the year for anyone who walks home with headphones on, and this is the only "
            "night they play it whole.\n\nDoors 19:00, stage 20:30. Over 14s."
        ),
        "venue": "The Foundry",
        "city": "Manchester",
        "country": "GB",
        "prices": ("38.50", "45.00", "7200"),
        "in_days": 18,
        "at": "20:30",
    },
    {
        "slug": "the-glass-orchard",
        "category": "stage",
        "name": "The Glass Orchard",
        "tagline": "Four siblings, one house to sell, and a summer nobody will admit to.",
        "description": (
            "“Funny until it suddenly is not”: the new play that sold out its first run comes back "
            "for twelve evenings, with the original cast.\n\nTwo hours and twenty minutes with an "
            "interval. Stalls, rows D to M, numbered seats."
        ),
        "venue": "Lyric Court Theatre",
        "city": "London",
        "country": "GB",
        "prices": ("52.00", "61.00", "9900"),
        "in_days": 33,
        "at": "19:30",
    },
    {
        "slug": "winter-strings",
        "category": "concert",
        "name": "Winter Strings",
        "tagline": "Vivaldi, Pärt and new music by candlelight, for twenty-four strings.",
        "description": (
            "The Liffey Chamber Orchestra plays in the round, in a hall lit by "
            "eight hundred candles. Come early: there is mulled wine in the foyer.\n\nNinety "
            "minutes without an interval."
        ),
        "venue": "Assembly Rooms",
        "city": "Dublin",
        "country": "IE",
        "prices": ("44.00", "49.00", "8300"),
        "in_days": 40,
        "at": "20:00",
    },
)

DEVICES: tuple[dict[str, Any], ...] = (
    {
        "slug": "halden-over-ear",
        "category": "audio",
        "name": "Halden Over-Ear",
        "tagline": "Wireless headphones that make the train disappear.",
        "description": (
            "Forty hours on one charge, a case that fits a coat pocket, and noise cancelling that "
            "still lets your own name through. The cushions and the battery can be replaced at "
            "home.\n\nIn the box: headphones, case, USB-C and 3.5 mm cables."
        ),
        "prices": ("249.00", "279.00", "46800"),
    },
    {
        "slug": "lumen-14",
        "category": "laptop",
        "name": "Lumen 14",
        "tagline": "A 14-inch laptop with a matt screen, and no fan to hear.",
        "description": (
            "1.2 kilograms of recycled aluminium, sixteen hours away from a socket and a screen "
            "you can read in the sun. Memory and storage are on sockets, and the manual says "
            "how.\n\n32 GB memory, 1 TB storage, two USB-C, one HDMI."
        ),
        "prices": ("1249.00", "1399.00", "228000"),
    },
    {
        "slug": "aperture-m2",
        "category": "camera",
        "name": "Aperture M2",
        "tagline": "A small camera with real dials, for people who look twice.",
        "description": (
            "A 26-megapixel sensor, a bright 35 mm lens and a dial for everything that matters. It "
            "is weather-sealed, which is good, because the best light comes just after the "
            "rain.\n\nIn the box: camera, strap, battery, charger."
        ),
        "prices": ("879.00", "989.00", "162000"),
    },
    {
        "slug": "tessel-speaker",
        "category": "audio",
        "name": "Tessel Speaker",
        "tagline": "Room-filling sound from something the size of a book.",
        "description": (
            "Two full-range drivers and a passive radiator in a woven cover that comes off for "
            "washing. Pair two for stereo, or carry one to the bath: it floats.\n\nEighteen hours "
            "of play, USB-C, IP67."
        ),
        "prices": ("119.00", "135.00", "21900"),
    },
)
