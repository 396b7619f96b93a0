import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { backoff, Connection, type ConnectionPhase, type Socket, type Welcome } from "./connection";
import { RefusedError, UnansweredError } from "./errors";
import type { ClientMessage } from "./generated/ClientMessage";
import type { Push } from "./generated/Push";
import type { Refusal } from "./generated/Refusal";
import type { ServerMessage } from "./generated/ServerMessage";

class FakeSocket implements Socket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  readonly sent: ClientMessage[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.closed = true;
  }

  tell(message: ServerMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  last(): ClientMessage {
    const message = this.sent.at(-1);
    if (message === undefined) throw new Error("nothing was sent");
    return message;
  }

  welcome(resumed = false): void {
    this.onopen?.();
    this.tell({ type: "reply", id: this.last().id, reply: { ...WELCOME, resumed } });
  }
}

const WELCOME: Welcome = {
  type: "welcome",
  me: {
    account: "commander",
    name: "指挥员",
    role: "commander",
    site: "511922",
    siteName: "南江县综治中心",
    tier: "county",
    countyName: "南江县",
  },
  resume: "token-1",
  resumed: false,
  serverTimeMs: 0,
  iceServers: [],
  snapshot: {
    directory: { sites: [], people: [] },
    conferences: [],
    invitations: [],
    participants: [],
    incidents: [],
    pursuits: [],
    rings: [],
    doors: [],
    ownParticipant: null,
  },
};

function setUp() {
  const sockets: FakeSocket[] = [];
  const phases: ConnectionPhase[] = [];
  const pushes: Push[] = [];
  const welcomes: boolean[] = [];
  const shutOut: Refusal[] = [];
  let token: string | null = null;
  let unreached = 0;
  let keys = 0;
  let stay: number | null = null;
  const connection = new Connection({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    participant: () => stay,
    device: () => ({ device: "console", autoAnswer: false }),
    random: () => 1,
    newKey: () => `key-${++keys}`,
    token: {
      read: () => token,
      write: (value) => {
        token = value;
      },
    },
    onPhase: (phase) => phases.push(phase),
    onWelcome: (welcome) => welcomes.push(welcome.resumed),
    onPush: (push) => pushes.push(push),
    onShutOut: (refusal) => shutOut.push(refusal),
    onUnreached: () => {
      unreached += 1;
    },
  });
  const socket = (index = -1) => {
    const found = sockets.at(index);
    if (found === undefined) throw new Error("no socket was opened");
    return found;
  };
  return {
    connection,
    sockets,
    socket,
    pushes,
    welcomes,
    shutOut,
    phase: () => phases.at(-1)?.phase,
    token: () => token,
    /** The page holds this stay from now on. */
    hold: (participant: number) => {
      stay = participant;
    },
    unreached: () => unreached,
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("greeting", () => {
  test("says hello first and keeps the resume token for the next connection", () => {
    const { connection, socket, phase, token } = setUp();
    connection.start();
    socket().onopen?.();
    expect(socket().last().request).toEqual({
      type: "hello",
      version: 2,
      device: "console",
      autoAnswer: false,
      resume: null,
    });
    expect(phase()).toBe("connecting");
    socket().tell({ type: "reply", id: socket().last().id, reply: WELCOME });
    expect(phase()).toBe("online");
    expect(token()).toBe("token-1");

    socket().onclose?.();
    vi.advanceTimersByTime(250);
    socket().onopen?.();
    expect(socket().last().request).toMatchObject({ type: "hello", resume: "token-1" });
  });

  test("claims the stay that the page holds", () => {
    const { connection, socket, hold } = setUp();
    connection.start();
    socket().welcome();
    hold(12);
    connection.renew();
    socket().onopen?.();
    expect(socket().last().request).toMatchObject({ type: "hello", participant: 12 });
  });

  test("a refused hello ends it, and a busy server is asked again when it says", () => {
    const busy = setUp();
    busy.connection.start();
    busy.socket().onopen?.();
    const refusal: Refusal = { code: "tooMany", message: "", retryAfterMs: 3_000 };
    busy.socket().tell({ type: "refused", id: busy.socket().last().id, refusal });
    vi.advanceTimersByTime(2_999);
    expect(busy.sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(busy.sockets).toHaveLength(2);

    const old = setUp();
    old.connection.start();
    old.socket().onopen?.();
    old.socket().tell({ type: "refused", id: old.socket().last().id, refusal: { code: "protocolVersion", message: "" } });
    expect(old.shutOut.map((one) => one.code)).toEqual(["protocolVersion"]);
    vi.advanceTimersByTime(60_000);
    expect(old.sockets).toHaveLength(1);
    expect(old.phase()).toBe("off");
  });
});

describe("requests", () => {
  test("each reply goes to the request with its number, in whatever order", async () => {
    const { connection, socket } = setUp();
    connection.start();
    socket().welcome();
    const first = connection.request({ type: "decline", invitation: 1 });
    const second = connection.request({ type: "decline", invitation: 2 });
    const [a, b] = socket().sent.slice(-2);
    socket().tell({ type: "refused", id: b?.id ?? 0, refusal: { code: "settled", message: "" } });
    socket().tell({ type: "reply", id: a?.id ?? 0, reply: { type: "done" } });
    await expect(first).resolves.toEqual({ type: "done" });
    await expect(second).rejects.toBeInstanceOf(RefusedError);
  });

  test("pushes are handed on, and what is no message of ours is ignored", () => {
    const { connection, socket, pushes } = setUp();
    connection.start();
    socket().welcome();
    socket().onmessage?.({ data: "<html>502</html>" });
    socket().onmessage?.({ data: new ArrayBuffer(3) });
    socket().tell({ type: "push", push: { type: "mediaLost", conference: 3 } });
    expect(pushes).toEqual([{ type: "mediaLost", conference: 3 }]);
  });

  test("a request fails with the connection; an order is sent again under the same key", async () => {
    const { connection, socket } = setUp();
    connection.start();
    socket().welcome();
    const plain = connection.request({ type: "show", conference: 1, wish: { tiles: [] } });
    const order = connection.order({ type: "end", conference: 1 });
    const key = socket().last().key;
    socket().onclose?.();
    await expect(plain).rejects.toMatchObject({ why: "lost" });

    vi.advanceTimersByTime(250);
    socket().welcome(true);
    expect(socket().last()).toMatchObject({ key, request: { type: "end", conference: 1 } });
    socket().tell({ type: "reply", id: socket().last().id, reply: { type: "done" } });
    await expect(order).resolves.toEqual({ type: "done" });
  });

  test("an order given without a line waits for it, but not for ever", async () => {
    const { connection, socket } = setUp();
    connection.start();
    const early = connection.order({ type: "end", conference: 1 });
    socket().welcome();
    expect(socket().last().request).toEqual({ type: "end", conference: 1 });
    socket().onclose?.();
    const outcome = early.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await outcome).toMatchObject({ why: "timeout" });
  });

  test("a reply to a request of the last connection reaches nobody", async () => {
    const { connection, socket } = setUp();
    connection.start();
    socket().welcome();
    const order = connection.order({ type: "end", conference: 1 });
    const old = socket().last().id;
    socket().onclose?.();
    vi.advanceTimersByTime(250);
    socket().welcome();
    let settled = false;
    void order.finally(() => {
      settled = true;
    });
    socket().tell({ type: "reply", id: old, reply: { type: "done" } });
    await vi.advanceTimersByTimeAsync(0);
    expect(settled).toBe(false);
    socket().tell({ type: "reply", id: socket().last().id, reply: { type: "done" } });
    await order;
  });

  test("silence on an open socket is a dead line", async () => {
    const { connection, socket, phase } = setUp();
    connection.start();
    socket().welcome();
    const request = connection.request({ type: "decline", invitation: 1 });
    const outcome = request.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toBeInstanceOf(UnansweredError);
    expect(phase()).not.toBe("online");
  });
});

describe("doubting the line", () => {
  test("a probe that is answered changes nothing", async () => {
    const { connection, sockets, socket, phase } = setUp();
    connection.start();
    socket().welcome();
    const probe = connection.probe(1_000);
    const { id, request } = socket().last();
    expect(request.type).toBe("ping");
    socket().tell({ type: "reply", id, reply: { type: "done" } });
    await probe;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(phase()).toBe("online");
    expect(sockets).toHaveLength(1);
  });

  test("one that is not answered opens a new line at once", async () => {
    const { connection, sockets, socket } = setUp();
    connection.start();
    socket().welcome();
    void connection.probe(1_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sockets).toHaveLength(2);
    expect(sockets[0]?.closed).toBe(true);
  });

  test("an order that is not answered soon doubts the line, and reaches the server over the next", async () => {
    const { connection, sockets, socket } = setUp();
    connection.start();
    socket().welcome();
    const order = connection.order({ type: "end", conference: 1 });
    const key = socket().last().key;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sockets).toHaveLength(2);
    socket().welcome();
    expect(socket().last()).toMatchObject({ key, request: { type: "end" } });
    socket().tell({ type: "reply", id: socket().last().id, reply: { type: "done" } });
    expect(await order).toEqual({ type: "done" });
  });

  test("a line lost during a probe by itself waits its time, so that a thousand clients do not come back together", async () => {
    const { connection, sockets, socket } = setUp();
    connection.start();
    socket().welcome();
    void connection.probe(1_000);
    socket().onclose?.();
    await vi.advanceTimersByTimeAsync(200);
    expect(sockets).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(50);
    expect(sockets).toHaveLength(2);
  });

  test("another network: a new line at once, from whatever state, but not before the first or after the last", () => {
    const { connection, sockets, socket, phase } = setUp();
    connection.renew();
    expect(sockets).toHaveLength(0);
    connection.start();
    connection.renew();
    expect(sockets).toHaveLength(2);
    socket().welcome();
    connection.renew();
    expect(sockets).toHaveLength(3);
    socket().onclose?.();
    expect(phase()).toBe("waiting");
    connection.renew();
    expect(sockets).toHaveLength(4);
    connection.stop();
    connection.renew();
    expect(sockets).toHaveLength(4);
  });
});

describe("coming back", () => {
  test("waits longer from attempt to attempt, up to four seconds", () => {
    const waits = [0, 1, 2, 3, 4, 5, 20].map((attempt) => backoff(attempt, 1));
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    expect(backoff(5, 0)).toBe(2_000);
  });

  test("a server that is away is tried again and again, and asked about the session", () => {
    const { connection, sockets, socket, unreached, phase } = setUp();
    connection.start();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      expect(sockets).toHaveLength(attempt);
      socket().onclose?.();
      expect(phase()).toBe("waiting");
      vi.advanceTimersByTime(4_000);
    }
    expect(unreached()).toBe(5);
    socket().welcome();
    expect(phase()).toBe("online");
  });

  test("an attempt that hangs is given up", () => {
    const { connection, sockets } = setUp();
    connection.start();
    vi.advanceTimersByTime(6_000);
    expect(sockets[0]?.closed).toBe(true);
    vi.advanceTimersByTime(4_000);
    expect(sockets).toHaveLength(2);
  });

  test("the user may hurry, and stopping forgets everything", async () => {
    const { connection, sockets, socket, token } = setUp();
    connection.start();
    socket().welcome();
    socket().onclose?.();
    connection.hurry();
    expect(sockets).toHaveLength(2);
    const order = connection.order({ type: "end", conference: 1 });
    const outcome = order.catch((error: unknown) => error);
    connection.stop();
    expect(await outcome).toMatchObject({ why: "lost" });
    expect(token()).toBeNull();
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(2);
  });
});
