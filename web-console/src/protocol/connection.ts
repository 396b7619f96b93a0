import { RefusedError, UnansweredError } from "./errors";
import type { ClientMessage } from "./generated/ClientMessage";
import type { Device } from "./generated/Device";
import type { ParticipantId } from "./generated/ParticipantId";
import type { Push } from "./generated/Push";
import type { Refusal } from "./generated/Refusal";
import type { Reply } from "./generated/Reply";
import type { Request } from "./generated/Request";
import type { ServerMessage } from "./generated/ServerMessage";

/** The version of the protocol that this console speaks (`PROTOCOL_VERSION`). */
export const PROTOCOL_VERSION = 2;

const REPLY_TIMEOUT_MS = 10_000;
/** Orders are decided at once; a longer silence is a reason to ask whether anybody is there. */
const ORDER_DOUBT_MS = 2_000;
const ORDER_PROBE_TIMEOUT_MS = 3_000;
/** How long a doubted line has for an answer: a round trip over a poor line, with a packet sent again. */
const DOUBT_TIMEOUT_MS = 1_000;
/** An order outlives lost connections for so long; then its caller is told that nobody knows. */
const ORDER_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 6_000;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MOST_MS = 4_000;

/** What the connection needs of a `WebSocket`; a test gives it a made one. */
export type Socket = {
  onopen: (() => void) | null;
  onclose: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  send(text: string): void;
  close(): void;
};

export type ConnectionPhase =
  | { phase: "off" }
  | { phase: "connecting"; attempt: number }
  | { phase: "online" }
  /** Lost; the next attempt starts at this moment of the client's clock. */
  | { phase: "waiting"; attempt: number; retryAtMs: number };

export type Welcome = Extract<Reply, { type: "welcome" }>;

export type ConnectionOptions = {
  open: () => Socket;
  device: () => { device: Device; autoAnswer: boolean };
  /** The stay in a conference that this page holds; a restarted server knows the stay, but no token. */
  participant: () => ParticipantId | null;
  /** Uniform in [0, 1); spreads the reconnecting of many clients. */
  random: () => number;
  newKey: () => string;
  token: { read: () => string | null; write: (token: string | null) => void };
  onPhase: (phase: ConnectionPhase) => void;
  onWelcome: (welcome: Welcome) => void;
  onPush: (push: Push) => void;
  /** `Hello` was refused: trying again cannot help. The connection is off. */
  onShutOut: (refusal: Refusal) => void;
  /** An attempt ended before the server said anything; perhaps the session is over. */
  onUnreached: () => void;
};

type Pending = {
  request: Request;
  key: string | null;
  resolve: (reply: Reply) => void;
  reject: (error: Error) => void;
  timer: ReturnType<typeof setTimeout>;
  /** The number under which it went out on the present socket; null: not sent yet. */
  sentAs: number | null;
};

/**
 * One WebSocket to the signaling server that comes back by itself.
 *
 * Plain requests fail when the connection is lost. Orders carry an idempotency
 * key and are sent again after a reconnect, so that each acts exactly once.
 */
export class Connection {
  private readonly options: ConnectionOptions;
  private socket: Socket | null = null;
  private phase: ConnectionPhase = { phase: "off" };
  private attempt = 0;
  private nextId = 1;
  private readonly pending = new Set<Pending>();
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private connectTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  start(): void {
    if (this.phase.phase !== "off") return;
    this.attempt = 0;
    this.connect();
  }

  /** Ends it for good (signed out). The resume token goes, too. */
  stop(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.connectTimer);
    this.options.token.write(null);
    this.dropSocket();
    for (const pending of this.pending) this.settle(pending, new UnansweredError("lost"));
    this.enter({ phase: "off" });
  }

  /** The network has changed or the user is impatient: try at once. */
  hurry(): void {
    if (this.phase.phase !== "waiting") return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  /** The socket cannot be trusted any more, whatever the browser says. */
  distrust(): void {
    if (this.socket !== null) this.lose();
  }

  /** Another network: what was open over the old one is dead, and over the new one nothing keeps us from trying. */
  renew(): void {
    if (this.phase.phase === "off") return;
    if (this.socket !== null) this.lose();
    this.attempt = 0;
    this.hurry();
  }

  /** Asks whether anybody is there. Without an answer in time the line is tried anew at once. */
  async probe(timeoutMs = DOUBT_TIMEOUT_MS): Promise<void> {
    if (this.phase.phase !== "online") return;
    try {
      await this.request({ type: "ping" }, timeoutMs);
    } catch (error) {
      // A refusal (asked too often) is an answer, too; and a line lost by itself keeps its wait.
      if (error instanceof UnansweredError && error.why === "timeout") this.hurry();
    }
  }

  /** Sends once; fails when the connection is lost or no answer comes. */
  request(request: Request, timeoutMs = REPLY_TIMEOUT_MS): Promise<Reply> {
    if (this.phase.phase !== "online") return Promise.reject(new UnansweredError("lost"));
    return this.enqueue(request, null, timeoutMs);
  }

  /** Sends until answered, also across reconnects. */
  async order(request: Request): Promise<Reply> {
    const doubt = setTimeout(() => void this.probe(ORDER_PROBE_TIMEOUT_MS), ORDER_DOUBT_MS);
    try {
      return await this.enqueue(request, this.options.newKey(), ORDER_TIMEOUT_MS);
    } finally {
      clearTimeout(doubt);
    }
  }

  private enqueue(request: Request, key: string | null, timeoutMs: number): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      const pending: Pending = {
        request,
        key,
        resolve,
        reject,
        sentAs: null,
        timer: setTimeout(() => this.expire(pending), timeoutMs),
      };
      this.pending.add(pending);
      if (this.phase.phase === "online") this.transmit(pending);
    });
  }

  private expire(pending: Pending): void {
    this.settle(pending, new UnansweredError("timeout"));
    // A server that does not answer on an open socket is a dead line (no RST arrived).
    if (pending.sentAs !== null && this.phase.phase === "online") this.lose();
  }

  private transmit(pending: Pending): void {
    pending.sentAs = this.nextId++;
    const message: ClientMessage = { id: pending.sentAs, request: pending.request };
    if (pending.key !== null) message.key = pending.key;
    this.socket?.send(JSON.stringify(message));
  }

  private settle(pending: Pending, outcome: Reply | Error): void {
    clearTimeout(pending.timer);
    this.pending.delete(pending);
    if (outcome instanceof Error) pending.reject(outcome);
    else pending.resolve(outcome);
  }

  private connect(): void {
    this.attempt += 1;
    this.enter({ phase: "connecting", attempt: this.attempt });
    const socket = this.options.open();
    this.socket = socket;
    let heard = false;
    const helloId = this.nextId++;
    socket.onopen = () => {
      const participant = this.options.participant();
      const message: ClientMessage = {
        id: helloId,
        request: {
          type: "hello",
          version: PROTOCOL_VERSION,
          resume: this.options.token.read(),
          ...this.options.device(),
          ...(participant === null ? {} : { participant }),
        },
      };
      socket.send(JSON.stringify(message));
    };
    socket.onmessage = (event) => {
      heard = true;
      const message = parse(event.data);
      if (message !== null) this.receive(message, helloId);
    };
    socket.onclose = () => {
      this.lose();
      if (!heard) this.options.onUnreached();
    };
    this.connectTimer = setTimeout(() => this.lose(), CONNECT_TIMEOUT_MS);
  }

  private receive(message: ServerMessage, helloId: number): void {
    switch (message.type) {
      case "reply":
        if (message.id === helloId && message.reply.type === "welcome") this.welcome(message.reply);
        else this.answer(message.id, message.reply);
        return;
      case "refused":
        if (message.id === helloId) this.shutOut(message.refusal);
        else this.answer(message.id, new RefusedError(message.refusal));
        return;
      case "push":
        this.options.onPush(message.push);
        return;
      default:
        message satisfies never;
    }
  }

  private answer(id: number, outcome: Reply | Error): void {
    for (const pending of this.pending) {
      if (pending.sentAs === id) {
        this.settle(pending, outcome);
        return;
      }
    }
  }

  private welcome(welcome: Welcome): void {
    clearTimeout(this.connectTimer);
    this.attempt = 0;
    this.options.token.write(welcome.resume);
    this.enter({ phase: "online" });
    this.options.onWelcome(welcome);
    for (const pending of this.pending) if (pending.sentAs === null) this.transmit(pending);
  }

  private shutOut(refusal: Refusal): void {
    // Full, or just stopping: the session is as good as before.
    if (refusal.code === "tooMany" || refusal.code === "journalUnavailable") {
      this.lose(refusal.retryAfterMs);
      return;
    }
    this.stop();
    this.options.onShutOut(refusal);
  }

  private lose(waitMs?: number): void {
    clearTimeout(this.connectTimer);
    this.dropSocket();
    for (const pending of this.pending) {
      if (pending.key === null) this.settle(pending, new UnansweredError("lost"));
      else pending.sentAs = null;
    }
    const delay = waitMs ?? backoff(this.attempt, this.options.random());
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), delay);
    this.enter({ phase: "waiting", attempt: this.attempt, retryAtMs: Date.now() + delay });
  }

  private dropSocket(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private enter(phase: ConnectionPhase): void {
    this.phase = phase;
    this.options.onPhase(phase);
  }
}

/** 0.25 s doubling to 4 s, of which the upper half is left to chance. */
export function backoff(attempt: number, random: number): number {
  const whole = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(attempt, 10), BACKOFF_MOST_MS);
  return Math.round(whole * (0.5 + random / 2));
}

/** The server is trusted to follow the protocol; a proxy's error page is not. */
function parse(data: unknown): ServerMessage | null {
  if (typeof data !== "string") return null;
  try {
    return JSON.parse(data) as ServerMessage;
  } catch {
    return null;
  }
}
