"""Public holidays by country and region, as the `holidays` library computes them. Pure."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1970, 2200      # outside of it the library has little to say


@lru_cache(maxsize=1024)
def holidays_in(country: str, region: str, year: int) -> Mapping[date, str]:
    """The year's days with their names in the country's own language. Raises NotImplementedError for an unknown place."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return {}
    import holidays  # few tenants need it, and it takes long to import

    known = holidays.country_holidays(country, subdiv=region or None)
    return dict(holidays.country_holidays(country, subdiv=region or None, years=year, language=known.default_language))


def public_holiday(country: str, region: str, day: date) -> str | None:
    """Name of the public holiday on the day; None on any other day."""
    return holidays_in(country, region, day.year).get(day)


@lru_cache(maxsize=1)
def known_places() -> Mapping[str, frozenset[str]]:
    """The countries, by ISO 3166-1 alpha-2, each with its regions as the library calls them."""
    import holidays

    return {country: frozenset(regions) for country, regions in holidays.list_supported_countries(include_aliases=True).items()}
