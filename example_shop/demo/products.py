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

# Flights, stays, parcel labels and flats: the shopper says more about them on their pages.
BOOKINGS: tuple[dict[str, Any], ...] = (
    {
        "slug": "flight-to-lisbon",
        "category": "flight",
        "name": "Flight to Lisbon",
        "tagline": "There and back, two and a half hours each way, with a window if you ask.",
        "description": (
            "Leaves Bristol at 07:40 and is in Lisbon before the cafés have put their chairs out. "
            "The way back is in the evening, so the last day is a whole one.\n\nOne bag for the "
            "cabin and one for under the seat. Seats are given at check-in, together for "
            "everybody on one booking."
        ),
        "city": "Bristol (BRS) to Lisbon (LIS)",
        "country": "PT",
        "prices": ("148.00", "172.00", "28400"),
    },
    {
        "slug": "casa-do-miradouro",
        "category": "stay",
        "name": "Casa do Miradouro",
        "tagline": "A tiled house with nine rooms, high above the river.",
        "description": (
            "Breakfast is on the roof, where you can see the ferries cross. The rooms are quiet, "
            "the beds are wide, and the tram stops two corners away.\n\nDouble room with shower. "
            "Check-in from 15:00, check-out until 11:00. Children sleep in a bed of their own."
        ),
        "venue": "Rua do Salvador 18",
        "city": "Lisbon",
        "country": "PT",
        "prices": ("96.00", "112.00", "18400"),
    },
    {
        "slug": "parcel-label",
        "category": "parcel",
        "name": "Parcel label",
        "tagline": "Print it, stick it on, and drop the parcel off at the corner shop.",
        "description": (
            "Tracked from the counter to the door. At home it takes two days, abroad three to "
            "six.\n\nUp to 10 kg and 60 by 40 by 40 cm. You can have the label voided until the "
            "day you drop the parcel off."
        ),
        "prices": ("6.90", "7.90", "1300"),
    },
    {
        "slug": "flat-in-orchard-lane",
        "category": "flat",
        "name": "Flat in Orchard Lane",
        "tagline": "Two bright rooms under the roof, and a pear tree in front of the kitchen.",
        "description": (
            "Sixty square metres on the third floor, with a bath, a gas cooker and a store room "
            "for the bicycles. The tram into town takes eleven minutes.\n\nLet unfurnished for "
            "twelve months at a time. You pay the first month now, and the rest from the second."
        ),
        "venue": "Orchard Lane 7",
        "city": "Bristol",
        "country": "GB",
        "prices": ("890.00", "1020.00", "168000"),
    },
)
