/** Writes an attribute if it changes, and says whether it did: the same written anew costs a style recalculation. */
export function write(element: HTMLElement, name: string, value: string): boolean {
  if (element.dataset[name] === value) return false;
  element.dataset[name] = value;
  return true;
}
