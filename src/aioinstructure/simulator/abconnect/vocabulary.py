"""Names and titles for generated standards, topics and concepts."""

from __future__ import annotations

__all__ = [
    "ADJECTIVES",
    "BANDS",
    "DOMAINS",
    "GRADES",
    "OBJECTS",
    "STATES",
    "SUBJECTS",
    "VERBS",
]


GRADES = (
    ("K", "Kindergarten", 20),
    ("1", "1st Grade", 30),
    ("2", "2nd Grade", 40),
    ("3", "3rd Grade", 50),
    ("4", "4th Grade", 60),
    ("5", "5th Grade", 70),
    ("6", "6th Grade", 80),
    ("7", "7th Grade", 90),
    ("8", "8th Grade", 100),
    ("9", "9th Grade", 110),
    ("10", "10th Grade", 120),
    ("11", "11th Grade", 130),
    ("12", "12th Grade", 140),
)
BANDS = (
    ("Kindergarten", "K", ("K",)),
    ("Grade 1", "1", ("1",)),
    ("Grade 2", "2", ("2",)),
    ("Grade 3", "3", ("3",)),
    ("Grade 4", "4", ("4",)),
    ("Grade 5", "5", ("5",)),
    ("Grade 6", "6", ("6",)),
    ("Grade 7", "7", ("7",)),
    ("Grade 8", "8", ("8",)),
    ("High School", "HS", ("9", "10", "11", "12")),
)
SUBJECTS = (
    ("MATH", "Mathematics", "Math"),
    ("LANG", "Language Arts", "ELA"),
    ("SCI", "Science", "Sci"),
    ("SOC", "Social Studies", "Soc"),
)
DOMAINS = {
    "MATH": (
        ("OA", "Operations and Algebraic Thinking"),
        ("NBT", "Number and Operations in Base Ten"),
        ("NF", "Number and Operations: Fractions"),
        ("MD", "Measurement and Data"),
        ("G", "Geometry"),
    ),
    "LANG": (
        ("RL", "Reading Literature"),
        ("RI", "Reading Informational Text"),
        ("W", "Writing"),
        ("SL", "Speaking and Listening"),
        ("L", "Language"),
    ),
    "SCI": (
        ("PS", "Physical Science"),
        ("LS", "Life Science"),
        ("ESS", "Earth and Space Science"),
        ("ETS", "Engineering Design"),
    ),
    "SOC": (
        ("H", "History"),
        ("GEO", "Geography"),
        ("CIV", "Civics"),
        ("ECO", "Economics"),
    ),
}
VERBS = (
    "Compare", "Describe", "Explain", "Interpret", "Analyze", "Represent", "Solve problems with",
    "Investigate", "Construct an argument about", "Use evidence to evaluate", "Identify", "Develop",
)  # fmt: skip
ADJECTIVES = (
    "equivalent", "primary", "complex", "observable", "historical", "mathematical", "literary",
    "local", "quantitative", "opposing", "recurring", "unfamiliar",
)  # fmt: skip
OBJECTS = {
    "MATH": ("fractions", "place value", "two-step equations", "area models", "data displays"),
    "LANG": ("central ideas", "points of view", "text structures", "figurative language", "claims"),
    "SCI": ("forces and motion", "ecosystems", "energy transfer", "weather patterns", "materials"),
    "SOC": (
        "primary sources",
        "trade routes",
        "civic duties",
        "maps and models",
        "economic choices",
    ),
}
STATES = (
    "Alabama AL", "Alaska AK", "Arizona AZ", "Arkansas AR", "California CA", "Colorado CO",
    "Connecticut CT", "Delaware DE", "Florida FL", "Georgia GA", "Hawaii HI", "Idaho ID",
    "Illinois IL", "Indiana IN", "Iowa IA", "Kansas KS", "Kentucky KY", "Louisiana LA", "Maine ME",
    "Maryland MD", "Massachusetts MA", "Michigan MI", "Minnesota MN", "Mississippi MS",
    "Missouri MO", "Montana MT", "Nebraska NE", "Nevada NV", "New Hampshire NH", "New Jersey NJ",
    "New Mexico NM", "New York NY", "North Carolina NC", "North Dakota ND", "Ohio OH",
    "Oklahoma OK", "Oregon OR", "Pennsylvania PA", "Rhode Island RI", "South Carolina SC",
    "South Dakota SD", "Tennessee TN", "Texas TX", "Utah UT", "Vermont VT", "Virginia VA",
    "Washington WA", "West Virginia WV", "Wisconsin WI", "Wyoming WY",
)  # fmt: skip
