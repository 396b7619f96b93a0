/** The Network Information API, as far as browsers have it (wicg.github.io/netinfo). */
export type NetworkInformation = {
  /** The kind of network; only on phones and tablets. */
  type?: string;
  effectiveType?: string;
  saveData?: boolean;
};

/** What the own line may carry: `modest` where it is thin or paid by volume. */
export type Uplink = "full" | "modest";

/** `moved`: another network, and what was open over the old one is dead. `rate`: the same, with another rate. */
export type NetworkChange = "gone" | "back" | "moved" | "rate";

export function uplinkOf({ type, effectiveType, saveData }: NetworkInformation): Uplink {
  const thin = effectiveType === "slow-2g" || effectiveType === "2g" || effectiveType === "3g";
  return type === "cellular" || saveData === true || thin ? "modest" : "full";
}

/**
 * What has changed from one reading to the next. Browsers say `change` at
 * every new estimate of the round trip, too; that is no other network.
 */
export function changeOf(before: NetworkInformation, now: NetworkInformation): NetworkChange | null {
  if (before.type !== now.type) return now.type === "none" ? "gone" : "moved";
  return uplinkOf(before) === uplinkOf(now) ? null : "rate";
}

function information(): (NetworkInformation & EventTarget) | undefined {
  return (navigator as { connection?: NetworkInformation & EventTarget }).connection;
}

export function uplink(): Uplink {
  return uplinkOf(information() ?? {});
}

/** Called once by the page. */
export function watchNetwork(tell: (change: NetworkChange) => void): void {
  window.addEventListener("online", () => tell("back"));
  window.addEventListener("offline", () => tell("gone"));
  const connection = information();
  if (connection === undefined) return;
  const read = ({ type, effectiveType, saveData }: NetworkInformation): NetworkInformation => ({
    ...(type === undefined ? {} : { type }),
    ...(effectiveType === undefined ? {} : { effectiveType }),
    ...(saveData === undefined ? {} : { saveData }),
  });
  let known = read(connection);
  connection.addEventListener("change", () => {
    const now = read(connection);
    const change = changeOf(known, now);
    known = now;
    if (change !== null) tell(change);
  });
}
