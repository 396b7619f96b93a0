import { EditOutlined, TeamOutlined, WarningOutlined } from "@ant-design/icons";
import { Button, Popconfirm, Slider, Switch } from "antd";
import { useTranslation } from "react-i18next";

import { listen, raiseSos, setVolume, unlisten } from "../../media/talk";
import type { AlarmKind } from "../../protocol/generated/AlarmKind";
import type { TalkGroupId } from "../../protocol/generated/TalkGroupId";
import type { KnownGroup } from "../../protocol/talk";
import { useAttempt } from "../../ui/useAttempt";
import { FloorLine } from "./FloorLine";
import { useEar } from "./groups";
import { PttButton } from "./PttButton";
import { choose } from "./store";

const ALARMS: readonly AlarmKind[] = ["sos", "imminentPeril"];

type Props = { known: KnownGroup; chosen: boolean; onEdit: () => void };

/** One group on the desk: who speaks, whether it is heard here, and its key. */
export function GroupCard({ known, chosen, onEdit }: Props) {
  const { t } = useTranslation();
  const { group, floor, listeners } = known;
  const ear = useEar(group.id);
  const { name } = group.plan;
  const heardBy = [t("talk.listening", { count: listeners.count }), ...listeners.names].join("、");
  return (
    <article
      className="group-card"
      data-chosen={chosen}
      data-busy={floor.holder !== null}
      data-sos={group.sos.length > 0}
      data-testid={`group-${group.id}`}
      onPointerDown={() => choose(group.id)}
    >
      <header>
        <h3>
          <span>{name}</span>
          {group.plan.priority !== "routine" && <small data-priority={group.plan.priority}>{t(`talk.priority.${group.plan.priority}`)}</small>}
        </h3>
        <span className="group-listeners ld-number" title={heardBy} aria-label={heardBy} data-testid={`listeners-${group.id}`}>
          <TeamOutlined aria-hidden /> {listeners.count}
        </span>
        <Switch
          checked={ear !== undefined}
          checkedChildren={t("talk.on")}
          unCheckedChildren={t("talk.off")}
          aria-label={t("talk.listenTo", { name })}
          data-testid={`listen-${group.id}`}
          onChange={(on) => (on ? listen(group.id) : unlisten(group.id))}
        />
      </header>
      <div className="group-floor">
        <FloorLine known={known} />
        {group.commanded && <Edit onEdit={onEdit} name={name} id={group.id} />}
      </div>
      {ear !== undefined && (
        <div className="group-tools">
          <PttButton known={known} size="desk" />
          {group.speaks && <AlarmKeys group={group.id} />}
          <label>
            <span>{t("talk.volume")}</span>
            <Slider
              min={0}
              max={100}
              value={Math.round(ear.volume * 100)}
              tooltip={{ formatter: null }}
              aria-label={t("talk.volumeOf", { name })}
              onChange={(percent) => setVolume(group.id, percent / 100)}
            />
          </label>
        </div>
      )}
    </article>
  );
}

/** The alarm, and the grade below it: somebody is about to come to harm. */
function AlarmKeys({ group }: { group: TalkGroupId }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  return ALARMS.map((kind) => (
    <Popconfirm
      key={kind}
      title={t(`talk.raiseSure.${kind}`)}
      okText={t(`talk.raise.${kind}`)}
      okButtonProps={{ danger: true }}
      onConfirm={() => attempt(() => raiseSos(group, kind, null))}
    >
      <Button danger={kind === "sos"} size="small" icon={<WarningOutlined aria-hidden />} data-testid={`raise-${kind === "sos" ? "sos" : "peril"}-${group}`}>
        {kind === "sos" ? "SOS" : t("talk.peril")}
      </Button>
    </Popconfirm>
  ));
}

function Edit({ onEdit, name, id }: { onEdit: () => void; name: string; id: number }) {
  const { t } = useTranslation();
  return (
    <Button
      type="text"
      size="small"
      icon={<EditOutlined aria-hidden />}
      aria-label={t("talk.editOf", { name })}
      title={t("talk.editOf", { name })}
      data-testid={`edit-group-${id}`}
      onClick={onEdit}
    />
  );
}
