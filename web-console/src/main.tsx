import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app/App";
import { startI18n } from "./i18n";
import { followCalls } from "./media/call";
import { followTalk } from "./media/talk";
import { unlockOnGesture } from "./media/sound";
import { begin } from "./protocol/client";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");

unlockOnGesture();
followCalls();
followTalk();
await startI18n();
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
await begin();
