// A plan from its draft to its run: written, approved by a second person, tried, started by one tap; by clicks.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Seat } from "./support/seat.ts";
import { Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const TOWNSHIP = "511922101"; // 沙河镇
const COMMUNITY = "511922101001"; // 沙河社区
const NAME = "沙河镇防汛预案";

describe("a plan is written, approved, tried and run", () => {
  let server: Server;
  let county: Seat;
  let dispatcher: Seat;
  let community: Seat;
  let everyone: Seat[] = [];

  beforeAll(async () => {
    server = await Server.start();
    const viewport = { width: 1920, height: 1080 };
    county = await Seat.open(server, { account: "commander", colour: [200, 40, 40], hertz: 0, viewport });
    dispatcher = await Seat.open(server, { account: "dispatcher", colour: [40, 180, 60], hertz: 0, viewport });
    community = await Seat.open(server, { account: COMMUNITY, colour: [50, 70, 210], hertz: 0 });
    everyone = [county, dispatcher, community];
  });

  afterAll(async () => {
    for (const seat of everyone) await seat.close();
    await server?.stop();
  });

  async function close(seat: Seat) {
    await seat.page.locator(".ant-drawer-close").last().click();
    await until("the drawer is closed", async () => (await seat.by("plans-page").or(seat.by("duty-page")).count()) === 0);
  }

  test("whoever has the seat stands in the roster", async () => {
    await county.by("open-duty").click();
    await county.by(`duty-${TOWNSHIP}`).waitFor();
    expect(await county.by("duty-empty").count()).toBe(1);
    // The whole week from Monday, so that somebody is on duty whatever the day.
    await county.by(`add-${TOWNSHIP}-0`).click();
    await county.by("shift-name").fill("张建军");
    await county.by("shift-phone").fill("13800000001");
    await county.by("shift-from").fill("00:00");
    await county.by("shift-to").fill("00:00");
    await county.page.locator(".duty-form .ant-checkbox-input").check();
    await county.picture("plan-01-shift");
    await county.by("shift-plan").click();
    const seat = county.by(`duty-${TOWNSHIP}`).locator('.shift[data-state="onDuty"]');
    await until("somebody is on duty", async () => (await seat.count()) > 0);
    expect(await county.by("duty-empty").count()).toBe(0);
    await county.picture("plan-02-roster");
    await close(county);
  });

  test("a draft is approved by a second person", async () => {
    await dispatcher.by("open-plans").click();
    await dispatcher.by("plan-new").click();
    await dispatcher.by("plan-name").fill(NAME);
    await dispatcher.by("plan-text-0").fill("立即到岗，报告水位");
    // A click beside the form asks first.
    await dispatcher.page.locator(".ant-drawer-close").last().click();
    await dispatcher.by("plan-leave").waitFor();
    await dispatcher.page.locator(".ant-modal-confirm-btns button").first().click();
    await until("the question is gone", async () => (await dispatcher.by("plan-leave").count()) === 0);
    expect(await dispatcher.by("plan-name").inputValue()).toBe(NAME);
    await dispatcher.picture("plan-03-editor");
    await dispatcher.by("plan-save").click();
    const draft = dispatcher.page.locator('[data-testid="plan-detail"][data-state="draft"]');
    await until("the draft is saved", async () => (await draft.count()) === 1);
    expect(await dispatcher.by("plan-approve").isDisabled()).toBe(true);
    await dispatcher.picture("plan-04-draft");

    await county.by("open-plans").click();
    await county.by("plans-page").getByText(NAME).click();
    await county.by("plan-approve").click();
    const force = county.page.locator('[data-testid="plan-detail"][data-state="approved"]');
    await until("it is in force", async () => (await force.count()) === 1);
    await county.picture("plan-05-approved");
    await close(county);
  });

  test("a dry run says who is offline and rings nobody", async () => {
    await community.by("start-report").click();
    await community.by("kind-contingency").click();
    await community.by("report-title").fill("河水漫堤");
    await community.by("report-submit").click();
    await until("the county is told", async () => (await county.by("new-incident").count()) === 1);
    await county.by("new-incident-open").click();
    await county.by("level-I").click();
    await county.by("order-submit").click();
    await until("plans are offered", async () => (await county.by("incident-plan").count()) === 1);
    await county.by("plan-try").click();
    await county.by("rehearsal-0-devices").waitFor();
    await county.picture("plan-06-dry-run");
    expect(await county.by("rehearsal-0-devices").textContent()).toContain("沙河社区");
    expect(await county.by("rehearsal-0-contacts").textContent()).toContain("张建军");
    await county.page.locator(".ant-modal-close").last().click();
    expect(await community.by("ring-screen").count()).toBe(0);
  });

  test("one tap rings, sends and shows what came of it", async () => {
    await county.picture("plan-07-before");
    await county.by("plan-start").click();
    const run = county.by("plan-run");
    await until("the plan runs", async () => (await run.getAttribute("data-over")) === "false");
    const step = county.by("plan-run-step-1");
    // The community's terminal answers by itself.
    await until("the community is reached", async () => (await step.getAttribute("data-reached")) !== "0");
    await county.picture("plan-08-running");
    const done = county.by("incident-timeline").locator('[data-what="planStarted"]');
    expect(await done.count()).toBe(1);
    // The next plan is offered below what runs, no longer in red.
    expect(await county.by("incident-plan").getAttribute("data-further")).toBe("true");
    await county.by("tab-invitations").click();
    // Everybody whom it rings stands on the board: who has come, and what is tried to reach the others.
    const board = county.by("invitation-board");
    const invited = (code: string) => board.locator(`[data-target="${code}"]`);
    await until("the community has joined", async () => (await invited(COMMUNITY).getAttribute("data-state")) === "joined");
    // Nobody is there in the township, its person on duty has a telephone, and this server no gateway.
    const pursuit = invited(TOWNSHIP).locator('[data-testid^="pursuit-"]');
    await until("nobody is reached in the township", async () => (await pursuit.getAttribute("data-state")) === "toldAbove");
    expect(await pursuit.textContent()).toContain("张建军");
    expect(await pursuit.locator("li[data-result]").count()).toBeGreaterThan(1);
    await county.picture("plan-09-board");
    // The dossier waits behind its tab, and whoever looks for the incident again is shown it.
    await county.by("tab-incidents").click();
    await county.by("incident-list").locator('li [data-testid^="incident-"]').first().click();
    await county.by("plan-run").waitFor();
    await county.by("tab-conduct").click();
    await county.by("tab-incident").click();
    await county.by("dossier-close").click();
    await county.by("conduct-panel").waitFor();
    for (const seat of everyone) expect(seat.errors).toEqual([]);
  });
});
