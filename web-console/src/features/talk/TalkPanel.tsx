import "./talk.css";

import { PlusOutlined } from "@ant-design/icons";
import { Button, Checkbox } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { talkMediaStore } from "../../media/talk";
import { useReplica } from "../../protocol/client";
import type { TalkGroup } from "../../protocol/generated/TalkGroup";
import { useGroups } from "./groups";
import { GroupCard } from "./GroupCard";
import { GroupForm } from "./GroupForm";
import { allowSpace, useTalkView } from "./store";
import { useSpaceKey } from "./useSpaceKey";

const MAKERS: ReadonlySet<string> = new Set(["commander", "dispatcher", "township"]);

/** The radio of a desk: several groups heard at a time, one key each. */
export function TalkPanel() {
  const { t } = useTranslation();
  const groups = useGroups();
  const mayMake = useReplica((replica) => MAKERS.has(replica.me.role));
  const ears = useStore(talkMediaStore, (media) => media.ears);
  const problem = useStore(talkMediaStore, (media) => media.microphoneProblem);
  const { chosen, space } = useTalkView();
  const [edited, setEdited] = useState<TalkGroup | "new" | null>(null);
  // Of those that are heard: the one that was touched last, else the first.
  const heard = groups.filter(({ group }) => ears.has(group.id));
  const keyed = (heard.find(({ group }) => group.id === chosen) ?? heard[0])?.group ?? null;
  useSpaceKey(space && edited === null ? (keyed?.id ?? null) : null);
  return (
    <section className="talk-panel" aria-label={t("talk.title")}>
      <header>
        <Checkbox checked={space} onChange={(event) => allowSpace(event.target.checked)}>
          {keyed === null ? t("talk.space") : t("talk.spaceOf", { name: keyed.plan.name })}
        </Checkbox>
        {mayMake && (
          <Button size="small" icon={<PlusOutlined aria-hidden />} data-testid="new-group" onClick={() => setEdited("new")}>
            {t("talk.new")}
          </Button>
        )}
      </header>
      {problem !== null && (
        <p className="floor-cause" role="alert">
          {t(`devices.problem.${problem}`, { device: t("devices.microphone") })}
        </p>
      )}
      <ul>
        {groups.map((known) => (
          <li key={known.group.id}>
            <GroupCard known={known} chosen={keyed?.id === known.group.id} onEdit={() => setEdited(known.group)} />
          </li>
        ))}
      </ul>
      {groups.length === 0 && <p className="talk-none">{t("talk.none")}</p>}
      {edited !== null && <GroupForm group={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </section>
  );
}
