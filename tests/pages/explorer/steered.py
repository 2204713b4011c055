"""The explorer's page in a browser, steered by the exports of its modules; selenium is imported when it is needed."""

from __future__ import annotations

from typing import Any

from browsing import forget_logs, state, wait

NAMES = "const byId = (id) => document.getElementById(id);" + "".join(
    f"const {{ {names} }} = modules['pages/{module if '/' in module else f'explorer/{module}'}.js'];"
    for module, names in (
        ("page", "about, page, ringed"),
        ("columns", "columns, load, points"),
        ("view", "central, map, nearest, rowX, rowY, size"),
        ("shared/player", "player"),
        ("panel", "select"),
        ("labels", "refreshSoon"),
        ("filter", "shown"),
        ("looks", "styles"),
        ("selection", "choose"),
    )
)


def script(browser: Any, text: str, *values: Any) -> Any:
    """What a script returns that knows the exports of the page's modules; see core.html.bundle."""
    return browser.execute_script(f"{NAMES}{text}", *values)


def chord(browser: Any, modifier: str, key: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).key_down(modifier).send_keys(key).key_up(modifier).perform()


def open_page(browser: Any, url: str) -> None:
    """Opens the page and waits until all rows are drawn."""
    forget_logs(browser)
    browser.get(url)
    wait(browser, lambda: "ready" in state(browser) and state(browser)["drawn"] == state(browser)["visible"])
    assert state(browser)["error"] == ""


def open_row(browser: Any, row: int) -> None:
    script(browser, "select(arguments[0])", row)
    wait(browser, lambda: state(browser).get("picture") == str(row) and script(browser, "return page.item?.info"))


def rows_of(browser: Any, column: str, value: str) -> list[int]:
    return script(
        browser,
        "const c = columns.get(arguments[0]);"
        "return [...c.data].flatMap((code, row) => (c.values[code] === arguments[1] ? [row] : []))",
        column,
        value,
    )
