// The real console behind a line that becomes thin: the picture adapts and goes on, and comes back.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { inOwnNamespace, mend, narrow } from "./support/kernel.ts";
import { madeUp, received, watch } from "./support/received.ts";
import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const COMMUNITY = "511922101001"; // 沙河社区: a simulated site that sends three sizes, ten frames a second

/** The height that stays the same for three seconds. */
async function settledHeight(seat: Seat): Promise<number> {
  let height = 0;
  let since = 0;
  await until(`${seat.account} receives one size`, async () => {
    const now = await received(seat.page);
    if (now.frameHeight !== height) [height, since] = [now.frameHeight, now.atMs];
    return height > 0 && now.atMs > since + 3_000;
  }, 60_000);
  return height;
}

/** Through the project's own proxy, or in the kernel (`npm run test:kernel`). */
async function drop(server: Server, county: Seat): Promise<void> {
  if (inOwnNamespace) narrow({ serverPort: server.port, clientPort: (await received(county.page)).port }, 300, 300);
  else await server.line.change({ down: { kbps: 300, queueMs: 300 } });
}

async function end(server: Server): Promise<void> {
  if (inOwnNamespace) mend();
  else await server.line.mend();
}

describe("a console behind a thin line", () => {
  let server: Server;
  let county: Seat;
  /** Of the picture that the page's tile asks for. */
  let tallest = 0;

  beforeAll(async () => {
    server = await Server.start({ behindLine: !inOwnNamespace });
    server.simulate("--sites", COMMUNITY, "--answer", "at-once", "--simulcast", "--slots", "1");
    county = await Seat.open(server, { account: "commander", colour: [200, 40, 40], hertz: 0 });
    await until("the community is online", async () =>
      (await county.by(`tree-node-${COMMUNITY}`).getAttribute("data-presence")) === "online");
    await county.by(`call-site-${COMMUNITY}`).click();
    await until("more than the smallest picture comes", async () => (await received(county.page)).frameHeight > 180, 60_000);
    tallest = await settledHeight(county);
  });

  afterAll(async () => {
    await county?.close();
    await server?.stop();
  });

  test("at 300 kbit/s a smaller picture goes on after three seconds, and the whole one is back within fifteen", async () => {
    const all = await received(county.page);
    await drop(server, county);
    const dropped = performance.now();
    await until("the picture is smaller", async () => {
      const { frameHeight } = await received(county.page);
      return frameHeight > 0 && frameHeight < tallest;
    }, 10_000);
    const adaptedMs = performance.now() - dropped;

    const seen = await watch(county.page);
    const start = await received(county.page);
    await until("ten seconds of it", async () => (await received(county.page)).atMs > start.atMs + 10_000);
    const last = await received(county.page);
    const thin = await seen();
    const seconds = (last.atMs - start.atMs) / 1_000;
    const kbps = ((last.bytes - start.bytes) * 8) / seconds / 1_000;
    const framesPerSecond = (last.framesDecoded - start.framesDecoded) / seconds;
    const concealed = madeUp(start, last);

    const seenAfter = await watch(county.page);
    await end(server);
    const mended = performance.now();
    await until("the whole picture is back", async () => (await received(county.page)).frameHeight === tallest, 30_000);
    const backMs = performance.now() - mended;
    const wide = await seenAfter();
    const freezes = (await received(county.page)).freezes - all.freezes;
    console.log(
      `adapted in ${Math.round(adaptedMs)} ms; at 300 kbit/s ${Math.round(kbps)} kbit/s of pictures, ${framesPerSecond.toFixed(1)} frames/s, ` +
        `longest gap ${Math.round(thin.longestGapMs)} ms, heights ${thin.heights.join(" → ")}, ${(concealed * 100).toFixed(2)} % of the speech made up; ` +
        `back in ${Math.round(backMs)} ms by ${wide.heights.join(" → ")}; ${freezes} freezes in all`,
    );
    expect(adaptedMs).toBeLessThan(3_000);
    expect(kbps).toBeLessThan(300);
    expect(framesPerSecond).toBeGreaterThan(8);
    expect(thin.longestGapMs).toBeLessThan(1_500);
    expect(concealed).toBeLessThan(0.05);
    expect(backMs).toBeLessThan(15_000);
    expect(freezes).toBeLessThan(4);
  });

  test("the page had no script error", () => {
    expect(county.errors).toEqual([]);
  });
});
