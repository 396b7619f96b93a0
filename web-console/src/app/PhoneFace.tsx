import "./phone-face.css";

import { AlertOutlined, AudioOutlined, PhoneOutlined } from "@ant-design/icons";
import { Badge } from "antd";
import { useTranslation } from "react-i18next";

import { CallControls } from "../features/conference/CallControls";
import { Doors } from "../features/conduct/Doors";
import { OwnState } from "../features/conduct/OwnState";
import { MediaState } from "../features/conference/CallStatus";
import { OwnNotices, SelfView } from "../features/conference/SelfView";
import { WaitingForAnswer } from "../features/conference/WaitingForAnswer";
import { SiteTree } from "../features/directory/SiteTree";
import { PhoneHome } from "../features/field/PhoneHome";
import { SpeakerLine } from "../features/field/SpeakerLine";
import { FieldIncidents } from "../features/incidents/FieldIncidents";
import { IncidentsOverCall } from "../features/incidents/IncidentsOverCall";
import { NewCalls, useWaiting } from "../features/incidents/NewCalls";
import { showPage, useIncidentsView } from "../features/incidents/store";
import { RingScreen } from "../features/ringing/RingScreen";
import { PhoneTalk } from "../features/talk/PhoneTalk";
import { useTellPlace } from "../features/talk/place";
import { SosBanner } from "../features/talk/SosBanner";
import { showRadio, useTalkView } from "../features/talk/store";
import { Wall } from "../features/wall/Wall";
import { CallSound } from "../media/Streams";
import { useReplica } from "../protocol/client";
import { isPresent } from "../protocol/replica";
import type { ConferenceId } from "../protocol/generated/ConferenceId";
import { LanguageSwitch } from "../ui/LanguageSwitch";
import { clockOf } from "../ui/time";
import { useTitle } from "../ui/useTitle";
import { useNow } from "../ui/useNow";
import { useWakeLock } from "../ui/useWakeLock";
import { JournalBanner } from "./JournalBanner";
import { OverloadBanner } from "./OverloadBanner";
import { AccountMenu, LinkState } from "./TopBar";

/** The face in a patrol member's hand. */
export function PhoneFace() {
  const conference = useReplica((replica) => replica.ownConference);
  const commands = useReplica((replica) => replica.me.role !== "field");
  useWakeLock(conference !== null);
  useTellPlace();
  return (
    <div className="phone">
      <JournalBanner />
      <SosBanner />
      {conference === null ? (
        <PhoneAtRest commands={commands} />
      ) : (
        <main className="phone-in-call" key={conference}>
          <div className="phone-top">
            <PhoneStatus conference={conference} />
            <SelfView />
          </div>
          <div className="phone-wall">
            <Wall conference={conference} />
            <WaitingForAnswer conference={conference} />
          </div>
          <OwnState conference={conference} />
          <OwnNotices conference={conference} />
          <IncidentsOverCall />
          {commands && <OverloadBanner />}
          <CallControls conference={conference} size="phone" />
          <CallSound />
        </main>
      )}
      <RingScreen shape={conference === null ? "screen" : "banner"} vibrate />
    </div>
  );
}

/** Three pages, a thumb apart: to call, what is to be done, the radio. */
function PhoneAtRest({ commands }: { commands: boolean }) {
  const { t } = useTranslation();
  const radio = useTalkView((view) => view.page);
  const incidents = useIncidentsView((view) => view.page) && !radio;
  const waiting = useWaiting();
  return (
    <div className="phone-at-rest">
      {!incidents && <NewCalls dossierInView={false} />}
      {/* Under an alarm and a task there is room for the key, or for these. */}
      {!incidents && !radio && <Doors />}
      <div className="phone-page">
        {radio ? (
          <PhoneTalk />
        ) : incidents ? (
          <main className="phone-incidents">
            <FieldIncidents />
          </main>
        ) : (
          <PhoneHome
            status={
              <>
                <LinkState />
                <LanguageSwitch />
              </>
            }
            menu={<AccountMenu />}
          >
            {commands ? <SiteTree /> : undefined}
          </PhoneHome>
        )}
      </div>
      <nav className="phone-nav" aria-label={t("incident.title")}>
        <button type="button" aria-current={incidents || radio ? undefined : "page"} data-testid="nav-call" onClick={() => show(false, false)}>
          <PhoneOutlined aria-hidden />
          {t("incident.tabCall")}
        </button>
        <button type="button" aria-current={incidents ? "page" : undefined} data-testid="nav-incidents" onClick={() => show(true, false)}>
          <Badge count={waiting} size="small" title={t("incident.waitingCount", { count: waiting })}>
            <AlertOutlined aria-hidden />
          </Badge>
          {t("incident.tabIncidents")}
        </button>
        <button type="button" aria-current={radio ? "page" : undefined} data-testid="nav-talk" onClick={() => show(false, true)}>
          <AudioOutlined aria-hidden />
          {t("talk.tab")}
        </button>
      </nav>
    </div>
  );
}

function show(incidents: boolean, radio: boolean): void {
  showPage(incidents);
  showRadio(radio);
}

function PhoneStatus({ conference: id }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const conference = useReplica((replica) => replica.conferences.get(id));
  const title = useTitle(conference);
  const parties = useReplica((replica) => {
    let count = 0;
    for (const one of replica.participants.values()) if (one.conference === id && isPresent(one)) count += 1;
    return count;
  });
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const now = useNow() + offset;
  return (
    <header className="phone-header">
      <h1>{title}</h1>
      <p className="ld-number">
        {conference !== undefined && clockOf(now - conference.startedAtMs)} · {t("field.parties", { count: parties })}
      </p>
      <SpeakerLine />
      <MediaState />
    </header>
  );
}
