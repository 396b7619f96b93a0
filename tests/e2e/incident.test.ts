// An incident from the phone that reports it to the review, by clicks, through the real server.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOWNSHIP = "511922101"; // 沙河镇
const COMMUNITY = "511922101001"; // 沙河社区
/** Two pixels wide and high. */
const PHOTO = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEUlEQVR4nGM44eAARAwOYBoAJP4FIfK+puwAAAAASUVORK5CYII=",
  "base64",
);
const TITLE = "河水漫堤，需转移群众";

describe("an incident is reported in the field, worked on and reviewed", () => {
  let server: Server;
  let county: Seat;
  let township: Seat;
  let community: Seat;
  let phone: Seat;
  let everyone: Seat[] = [];
  let id: string;

  beforeAll(async () => {
    server = await Server.start();
    county = await Seat.open(server, {
      account: "commander",
      colour: [200, 40, 40],
      hertz: 0,
      viewport: { width: 1920, height: 1080 },
    });
    township = await Seat.open(server, { account: TOWNSHIP, colour: [40, 180, 60], hertz: 0 });
    community = await Seat.open(server, { account: COMMUNITY, colour: [50, 70, 210], hertz: 0 });
    phone = await Seat.open(server, {
      account: "field1",
      colour: [220, 200, 60],
      hertz: 0,
      viewport: { width: 390, height: 844 },
      place: { longitude: 106.8118, latitude: 32.2195, accuracy: 12 },
    });
    everyone = [county, township, community, phone];
  });

  afterAll(async () => {
    for (const seat of everyone) await seat.close();
    await server?.stop();
  });

  /** The incident's state as the open dossier shows it. */
  const stands = (seat: Seat, state: string) =>
    until(`${seat.account} sees it ${state}`, async () =>
      (await seat.page.locator(`[data-testid="dossier"][data-incident="${id}"][data-state="${state}"]`).count()) === 1);

  const response = (seat: Seat, who: string, state: string) =>
    until(`${seat.account} sees ${who} ${state}`, async () =>
      (await seat.page.locator(`[data-testid="responder-${who}"][data-response="${state}"]`).count()) === 1);

  const timeline = (seat: Seat) =>
    seat.by("incident-timeline").locator("li").evaluateAll((lines) => lines.map((line) => line.getAttribute("data-what")));

  test("a patrol member reports with the place of the phone", async () => {
    await phone.by("nav-incidents").click();
    await phone.by("start-report").click();
    await phone.by("kind-sudden").click();
    await phone.by("report-title").fill(TITLE);
    await phone.by("report-text").fill("三组河堤漫水，约二十户需要转移，已有两户进水。");
    await phone.by("report-address").fill("沙河社区三组河堤");
    await until("the place is known", async () => (await phone.by("report-position").getAttribute("data-state")) === "taken");
    await phone.by("files-camera").setInputFiles({ name: "现场.png", mimeType: "image/png", buffer: PHOTO });
    await phone.by("files-voice").click();
    await until("the microphone records", async () => (await phone.by("files-voice").getAttribute("data-state")) === "recording");
    await until("something is said", async () => ((await phone.by("files-voice").textContent()) ?? "").includes("0:01"));
    await phone.by("files-voice").click();
    await until("photo and voice note go with it", async () => (await phone.by("draft-files").getAttribute("data-count")) === "2");
    await phone.picture("01-phone-report");
    await phone.by("report-submit").click();

    const own = phone.by("own-reports").locator('[data-testid^="incident-"][data-state="reported"]');
    await until("the report stands among the own ones", async () => (await own.count()) === 1);
    id = ((await own.getAttribute("data-testid")) ?? "").replace("incident-", "");
    expect(id).toMatch(/^\d+$/);
    await phone.picture("02-phone-reported");
    await until("both have arrived", async () => (await phone.by("uploads").count()) === 0);
  });

  test("a second report of the same is suggested, and marked as its duplicate", async () => {
    await community.by("start-report").click();
    await community.picture("03-terminal-report");
    await community.by("kind-contingency").click();
    await community.by("report-title").fill("沙河社区三组进水");
    await community.by("report-submit").click();
    const own = community.by("own-reports").locator('[data-testid^="incident-"]');
    await until("the community's own report", async () => (await own.count()) === 1);
    await community.picture("04-terminal-incidents");
    const second = ((await own.getAttribute("data-testid")) ?? "").replace("incident-", "");

    await until("the county is told", async () => (await county.by("new-incident").count()) === 1);
    await county.picture("05-county-told");
    await county.by("tab-incidents").click();
    await county.by(`incident-${second}`).click();
    await county.by("order-markDuplicate").click();
    await county.by(`duplicate-of-${id}`).click();
    await county.picture("06-county-duplicate");
    await county.by("order-submit").click();
    await county.by("order-confirm").click();
    await until("it is a duplicate", async () => (await county.by("dossier").getAttribute("data-state")) === "duplicate");
    await county.picture("07-county-is-duplicate");
  });

  test("the township verifies it and sends a person and a community", async () => {
    await until("the township is told", async () => (await township.by("new-incident").getAttribute("data-incident")) === id);
    await township.by("new-incident-open").click();
    await stands(township, "reported");
    expect(await township.by("dossier").textContent()).toContain("约二十户需要转移");
    expect(await township.by("incident-files").getAttribute("data-count")).toBe("2");
    await until("the photo is on the page", async () =>
      township.by("file-photo").evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth === 2));
    // Heard by the browser itself, not only kept.
    await township.by("file-sound").evaluate((sound) => (sound as HTMLMediaElement).play());
    await until("the voice note plays", async () =>
      township.by("file-sound").evaluate((sound) => sound instanceof HTMLMediaElement && sound.currentTime > 0.2));
    expect(await township.by("order-assign").isDisabled()).toBe(true);
    expect(await township.by("order-close").isDisabled()).toBe(true);
    await township.by("level-II").click();
    await township.picture("08-township-verify");
    await township.by("order-submit").click();
    await stands(township, "verified");

    await township.by("order-assign").click();
    await township.by("assign-person-field1").click();
    await township.by(`assign-site-${COMMUNITY}`).click();
    await township.by("assign-text").fill("先转移低洼处老人，十五分钟内到场");
    await township.picture("09-township-assign");
    await township.by("order-submit").click();
    await stands(township, "dispatched");
    await response(township, "person-field1", "assigned");
    await township.picture("10-township-dispatched");
  });

  test("whoever was sent says how far he is", async () => {
    await until("the phone has the task", async () => (await phone.by(`task-${id}`).count()) === 1);
    await phone.picture("11-phone-task");
    await phone.by("respond-acknowledged").click();
    await response(township, "person-field1", "acknowledged");
    await phone.by("respond-onScene").click();
    await response(township, "person-field1", "onScene");
    expect(await phone.by("respond-enRoute").isDisabled()).toBe(true);
    await phone.picture("12-phone-on-scene");
    await phone.by(`task-details-${id}`).click();
    await stands(phone, "dispatched");
    await phone.picture("13-phone-dossier");

    await until("the community has the task", async () => (await community.by(`task-${id}`).count()) === 1);
    await community.by("respond-enRoute").click();
    await community.picture("14-terminal-task");
    await response(township, `site-${COMMUNITY}`, "enRoute");
    await township.picture("15-township-responses");
  });

  test("one tap calls all concerned, and the call stands in the timeline", async () => {
    await county.by(`incident-${id}`).click();
    await stands(county, "dispatched");
    await county.picture("16-county-dossier");
    await county.by("call-concerned").click();
    await phone.by("ring-accept").click();
    await until("the county is in the conference about it", async () =>
      (await county.by("incident-conference").getAttribute("data-own")) === "true");
    await county.sees(phone);
    await until("the phone has its task in the call", async () => (await phone.by("call-task").count()) === 1);
    await county.picture("17-county-in-call");
    await phone.picture("18-phone-in-call");
    await until("the call is in the township's timeline", async () => (await timeline(township)).includes("convened"));
    await county.by("dossier-close").click();
    await until("the invitations are back beside the wall", async () => (await county.by("invitation-board").count()) === 1);
    await county.picture("19-county-call-board");
    await county.by("end-call").click();
    await county.by("end-confirm").click();
    await phone.by("parting-ok").click();
  });

  test("an open dossier goes on after the server was killed", async () => {
    await server.killHard();
    for (const seat of [county, township]) {
      await until(`${seat.account} has lost the server`, async () =>
        (await seat.by("link-state").getAttribute("data-phase")) !== "online");
    }
    await server.run();
    await until("the county is back", async () => (await county.by("link-state").getAttribute("data-phase")) === "online", 60_000);
    await until("the township is back", async () => (await township.by("link-state").getAttribute("data-phase")) === "online", 60_000);
    await county.by(`incident-${id}`).click();
    await county.by("order-note").click();
    await county.by("order-text").fill("县应急局已知悉");
    await county.by("order-submit").click();
    await until("the township sees the note", async () => (await timeline(township)).at(-1) === "noted");
  });

  test("it is brought under control, closed and reviewed", async () => {
    await township.by("order-control").click();
    await township.by("order-text").fill("群众已全部转移");
    await township.by("order-submit").click();
    await stands(township, "controlled");
    await township.picture("20-township-controlled");
    await township.by("order-close").click();
    await township.by("order-text").fill("水位回落，无人员伤亡");
    await township.by("order-submit").click();
    await township.by("order-confirm").click();
    await stands(township, "closed");
    await township.by("order-review").click();
    await township.by("order-text").fill("三组应增设水位报警");
    await township.by("order-submit").click();
    await stands(township, "reviewed");
    await stands(county, "reviewed");
    await county.by("incident-filter-settled").click();
    await township.picture("21-township-reviewed");
    await county.picture("22-county-reviewed");

    expect(await timeline(county)).toEqual([
      "reported", "attached", "attached", "verified", "assigned", "assigned", "responded", "responded", "responded",
      "convened", "noted", "controlled", "closed", "reviewed",
    ]);
    await until("the reporter sees what became of it", async () =>
      (await phone.page.locator('[data-testid="dossier"][data-state="reviewed"]').count()) === 1);
  });

  test("no page had a script error", () => {
    for (const seat of everyone) expect(seat.errors, seat.account).toEqual([]);
  });
});
