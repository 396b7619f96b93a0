/** Waits until the condition holds; it is looked at again and again, and named when it never does. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  withinMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    if (await holds()) return;
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 100));
  }
}
