import { useCallback, useLayoutEffect, useState } from "react";

export type Theme = "dark" | "light" | "system";

export const THEMES: Readonly<Record<Theme, string>> = { dark: "Theme: dark", light: "Theme: light", system: "Theme: system" };

const COOKIE = "unirg_theme";
const YEAR = 365 * 24 * 3600;

/** The page's colours: dark, as a reading room is, unless the reader chose. It is kept in a cookie, which knows nothing else. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(chosen);
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const choose = useCallback((next: Theme) => {
    document.cookie = `${COOKIE}=${next}; Path=/; Max-Age=${YEAR}; SameSite=Strict`;
    setTheme(next);
  }, []);
  return [theme, choose];
}

function chosen(): Theme {
  const value = document.cookie.split("; ").find((pair) => pair.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  return value === "light" || value === "system" ? value : "dark";
}
