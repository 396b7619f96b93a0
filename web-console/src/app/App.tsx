import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { ConductNotices } from "../features/conduct/Notices";
import { IncidentBell } from "../features/incidents/NewCalls";
import { EnrolPage } from "../features/login/EnrolPage";
import { LoginPage } from "../features/login/LoginPage";
import { PutOut } from "../features/talk/PutOut";
import { linkStore, replicaStore, sessionStore } from "../protocol/client";
import { deviceStore } from "../protocol/device";
import { Mark } from "../ui/Mark";
import { Theme } from "../ui/Theme";
import { ConsoleFace } from "./ConsoleFace";
import { LostOverlay } from "./LostOverlay";
import { PartingNotice } from "./PartingNotice";
import { PhoneFace } from "./PhoneFace";
import { TerminalFace } from "./TerminalFace";

export function App() {
  return (
    <Theme>
      <Page />
    </Theme>
  );
}

function Page() {
  const session = useStore(sessionStore);
  const welcomed = useStore(replicaStore, ({ replica }) => replica !== null);
  switch (session.state) {
    case "checking":
    case "unreached":
      return <Splash unreached={session.state === "unreached"} />;
    case "signedOut":
      return <LoginPage refusal={session.refusal} />;
    case "enrolling":
      return <EnrolPage />;
    case "signedIn":
      return welcomed ? <SignedIn /> : <Splash unreached={false} />;
    default:
      return session satisfies never;
  }
}

function SignedIn() {
  return (
    <>
      <Face />
      <IncidentBell />
      <ConductNotices />
      <PartingNotice />
      <PutOut />
      <LostOverlay />
    </>
  );
}

function Face() {
  const device = useStore(deviceStore, (state) => state.device);
  switch (device) {
    case "console":
      return <ConsoleFace />;
    case "terminal":
      return <TerminalFace />;
    case "phone":
      return <PhoneFace />;
    default:
      return device satisfies never;
  }
}

function Splash({ unreached }: { unreached: boolean }) {
  const { t } = useTranslation();
  const waiting = useStore(linkStore, (link) => link.phase === "waiting");
  return (
    <main className="splash" role="status">
      <Mark size={72} />
      {t(unreached || waiting ? "app.unreached" : "app.loading")}
    </main>
  );
}
