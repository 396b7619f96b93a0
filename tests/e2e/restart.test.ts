// The server dies in a live call; pages come back by themselves.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";


const TOWNSHIP = "511922103"; // 长赤镇

describe("kill -9 of the server in a live call", () => {
  let server: Server;
  let county: Seat;
  let township: Seat;

  beforeAll(async () => {
    server = await Server.start();
    county = await Seat.open(server, { account: "commander", colour: [200, 40, 40], hertz: 0 });
    township = await Seat.open(server, { account: TOWNSHIP, colour: [40, 180, 60], hertz: 440 });
  });

  afterAll(async () => {
    await county?.close();
    await township?.close();
    await server?.stop();
  });

  test("both see each other, then an overlay, then each other again within five seconds of the restart", async () => {
    await until("the township is online", async () =>
      (await county.by(`tree-node-${TOWNSHIP}`).getAttribute("data-presence")) === "online");
    await county.by(`call-site-${TOWNSHIP}`).click();
    await township.by("ring-accept").click();
    await county.sees(township);
    await township.sees(county);

    await server.killHard();
    await county.by("lost-overlay").waitFor({ state: "visible" });
    await township.by("lost-overlay").waitFor({ state: "visible" });

    await server.run();
    const restarted = performance.now();
    await Promise.all([county.sees(township, 5_000), township.sees(county, 5_000)]);
    console.log(`pictures back ${Math.round(performance.now() - restarted)} ms after the restart`);
    expect(await county.by("lost-overlay").count()).toBe(0);
  });
});
