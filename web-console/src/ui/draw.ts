/** An attribute written anew costs a style recalculation even when it stays the same. */
export function write(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}
