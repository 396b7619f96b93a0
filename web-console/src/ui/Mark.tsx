/** The sign of the system: one centre, three that it reaches. */
export function Mark({ size = 36 }: { size?: number }) {
  return (
    <svg viewBox="0 0 64 64" width={size} height={size} aria-hidden="true">
      <rect width="64" height="64" rx="14" fill="#10203a" />
      <path
        d="M32 18v20M32 30 16 44M32 30l16 14"
        fill="none"
        stroke="#4da3ff"
        strokeWidth="4"
        strokeLinecap="round"
      />
      <circle cx="32" cy="16" r="7" fill="#4da3ff" />
      <circle cx="15" cy="46" r="6" fill="#38d39f" />
      <circle cx="32" cy="46" r="6" fill="#38d39f" />
      <circle cx="49" cy="46" r="6" fill="#38d39f" />
    </svg>
  );
}
