// The kernel's own bad line: a token bucket on the loopback of a network namespace of the test's own.
import { execFileSync } from "node:child_process";

/** True in `npm run test:kernel`, where the loopback belongs to the test alone. */
export const inOwnNamespace = process.env.LIANDONG_E2E_NAMESPACE !== undefined;

function tc(...words: string[]): void {
  execFileSync("tc", words, { stdio: "inherit" });
}

/** Lets the server's datagrams to one client pass at this rate only, through a queue that drops what would wait longer. */
export function narrow(from: { serverPort: number; clientPort: number }, kbps: number, queueMs: number): void {
  tc("qdisc", "replace", "dev", "lo", "root", "handle", "1:", "htb", "default", "2");
  tc("class", "replace", "dev", "lo", "parent", "1:", "classid", "1:1", "htb", "rate", "1gbit", "quantum", "60000");
  tc("class", "replace", "dev", "lo", "parent", "1:", "classid", "1:2", "htb", "rate", "10gbit", "quantum", "60000");
  tc("qdisc", "replace", "dev", "lo", "parent", "1:1", "handle", "10:",
    "tbf", "rate", `${kbps}kbit`, "burst", "3000", "latency", `${queueMs}ms`);
  const ports = ["match", "ip", "sport", `${from.serverPort}`, "0xffff", "match", "ip", "dport", `${from.clientPort}`, "0xffff"];
  tc("filter", "replace", "dev", "lo", "parent", "1:", "protocol", "ip", "prio", "1",
    "u32", "match", "ip", "protocol", "17", "0xff", ...ports, "flowid", "1:1");
}

/** A perfect line again. */
export function mend(): void {
  tc("qdisc", "del", "dev", "lo", "root");
}
