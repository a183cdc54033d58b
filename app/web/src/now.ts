import { useEffect, useState } from "react";

/** The service's time in ms, anew every `tick` ms; ahead: of this browser's clock. */
export function useNow(ahead: number, tick: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => { setNow(Date.now()); }, tick);
    return () => { window.clearInterval(timer); };
  }, [tick]);
  return now + ahead;
}
