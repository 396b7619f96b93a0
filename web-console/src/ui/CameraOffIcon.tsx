/** A camera with a stroke through it, in the manner of the icon set, which has none. */
export function CameraOffIcon() {
  return (
    <span className="anticon" aria-hidden>
      <svg viewBox="0 0 24 24" width="1em" height="1em" fill="none" stroke="currentColor" strokeWidth="1.8">
        <path d="M3 6.5h12v11H3zM15 10.5l6-3.2v9.4l-6-3.2" strokeLinejoin="round" />
        <path d="M3 3l18 18" strokeLinecap="round" />
      </svg>
    </span>
  );
}
