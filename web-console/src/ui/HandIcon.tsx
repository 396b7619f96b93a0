/** A hand that is up, in the manner of the icon set, which has none. */
export function HandIcon({ className = "", title }: { className?: string; title?: string }) {
  return (
    <span className={`anticon ${className}`} title={title} aria-hidden>
      <svg viewBox="0 0 24 24" width="1em" height="1em" fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinecap="round" strokeLinejoin="round">
        <path d="M8 12.5V5.6a1.6 1.6 0 0 1 3.2 0V11m0-6.4a1.6 1.6 0 0 1 3.2 0V11m0-4.9a1.6 1.6 0 0 1 3.2 0v8.3c0 3.9-2.5 6.6-6 6.6-2.6 0-4.2-1.1-5.4-3.2l-2.6-4.6a1.6 1.6 0 0 1 2.7-1.7L8 12.5" />
      </svg>
    </span>
  );
}
