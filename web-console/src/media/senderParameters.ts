const RETRY_FIRST_MS = 200;
const RETRIES = 4;

/**
 * Keeps the parameters of one sender as they are wanted. Changes follow one another, the newest
 * wins; what the browser refuses (it was negotiating, say) is tried again a few times.
 */
export class SenderParameters {
  private readonly apply: () => Promise<void>;
  private running = false;
  private stale = false;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  /** `apply`: reads the parameters and sets those that are wanted now. */
  constructor(apply: () => Promise<void>) {
    this.apply = apply;
  }

  /** Something else is wanted, or the browser may have changed something. */
  renew(): void {
    clearTimeout(this.timer);
    this.failures = 0;
    this.stale = true;
    if (!this.running) void this.run();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.stale && !this.closed) {
      this.stale = false;
      try {
        await this.apply();
        this.failures = 0;
      } catch {
        this.retryLater();
      }
    }
    this.running = false;
  }

  private retryLater(): void {
    if (this.failures >= RETRIES || this.closed) return;
    const wait = RETRY_FIRST_MS * 2 ** this.failures;
    this.failures += 1;
    this.timer = setTimeout(() => {
      this.stale = true;
      if (!this.running) void this.run();
    }, wait);
  }
}
