import { App, Button, Input, InputNumber, Modal, Select } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { AccountId } from "../../protocol/generated/AccountId";
import type { GroupArea } from "../../protocol/generated/GroupArea";
import type { GroupPlan } from "../../protocol/generated/GroupPlan";
import type { GroupPriority } from "../../protocol/generated/GroupPriority";
import type { GroupStanding } from "../../protocol/generated/GroupStanding";
import type { TalkGroup } from "../../protocol/generated/TalkGroup";
import { useAttempt } from "../../ui/useAttempt";

type Props = { group: TalkGroup | null; onClose: () => void };

const PRIORITIES: readonly GroupPriority[] = ["routine", "raised", "command"];
const STANDINGS: readonly GroupStanding[] = ["leader", "member", "volunteer"];
const AREAS = ["none", "subtree", "circle"] as const;

/** Makes a group, or changes one. */
export function GroupForm({ group, onClose }: Props) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const { attempt, busy } = useAttempt();
  const me = useReplica((replica) => replica.me);
  const [plan, setPlan] = useState<GroupPlan>(() => group?.plan ?? freshPlan(me.site));
  const sites = useSites();
  const members = useMembers(plan);
  const change = (part: Partial<GroupPlan>) => setPlan((before) => ({ ...before, ...part }));
  const complete = plan.name.trim() !== "" && (plan.members.length > 0 || plan.area !== null);

  function save() {
    const clean = { ...plan, name: plan.name.trim() };
    attempt(async () => {
      await order({ type: "talk", order: group === null ? { type: "create", plan: clean } : { type: "change", group: group.id, plan: clean } });
      onClose();
    });
  }

  function dissolve(known: TalkGroup) {
    modal.confirm({
      title: t("talk.dissolveSure", { name: known.plan.name }),
      okText: t("talk.dissolve"),
      okButtonProps: { danger: true },
      onOk: () =>
        attempt(async () => {
          await order({ type: "talk", order: { type: "dissolve", group: known.id } });
          onClose();
        }),
    });
  }

  return (
    <Modal
      open
      title={group === null ? t("talk.new") : t("talk.editOf", { name: group.plan.name })}
      onCancel={onClose}
      footer={
        <>
          {group !== null && (
            <Button danger className="group-dissolve" data-testid="dissolve-group" onClick={() => dissolve(group)}>
              {t("talk.dissolve")}
            </Button>
          )}
          <Button onClick={onClose}>{t("talk.back")}</Button>
          <Button type="primary" disabled={!complete} loading={busy} data-testid="save-group" onClick={save}>
            {t("talk.save")}
          </Button>
        </>
      }
    >
      <div className="group-form">
        <label>
          <span>{t("talk.name")}</span>
          <Input value={plan.name} maxLength={64} data-testid="group-name" onChange={(event) => change({ name: event.target.value })} />
        </label>
        <label>
          <span>{t("talk.members")}</span>
          <Select
            mode="multiple"
            value={plan.members.map((one) => one.account)}
            options={members}
            optionFilterProp="label"
            aria-label={t("talk.members")}
            onChange={(accounts: AccountId[]) => change({ members: withMembers(plan, accounts) })}
          />
        </label>
        <Standings plan={plan} options={members} onChange={change} />
        <label>
          <span>{t("talk.area")}</span>
          <Select
            value={plan.area?.type ?? "none"}
            options={AREAS.map((value) => ({ value, label: t(`talk.areaKind.${value}`) }))}
            aria-label={t("talk.area")}
            onChange={(kind: (typeof AREAS)[number]) => change({ area: freshArea(kind, plan.site, sites) })}
          />
        </label>
        <AreaFields area={plan.area} sites={sites} onChange={(area) => change({ area })} />
        <label>
          <span>{t("talk.importance")}</span>
          <Select
            value={plan.priority}
            options={PRIORITIES.map((value) => ({ value, label: t(`talk.priority.${value}`) }))}
            aria-label={t("talk.importance")}
            onChange={(priority: GroupPriority) => change({ priority })}
          />
        </label>
        <div className="group-rules">
          {(
            [
              ["talkLimitS", 5, 300],
              ["graceS", 0, 10],
              ["mediaEndS", 2, 30],
              ["queueLength", 0, 64],
            ] as const
          ).map(([field, min, max]) => (
            <label key={field}>
              <span>{t(`talk.rule.${field}`)}</span>
              <InputNumber
                min={min}
                max={max}
                precision={0}
                value={plan.rules[field]}
                onChange={(value) => value !== null && change({ rules: { ...plan.rules, [field]: value } })}
              />
            </label>
          ))}
        </div>
      </div>
    </Modal>
  );
}

type StandingsProps = { plan: GroupPlan; options: readonly MemberOption[]; onChange: (part: Partial<GroupPlan>) => void };

/** How much each one named counts. Centres count by what they are. */
function Standings({ plan, options, onChange }: StandingsProps) {
  const { t } = useTranslation();
  const ranked = options.filter((one) => one.field && plan.members.some((member) => member.account === one.value));
  if (ranked.length === 0) return null;
  const put = (account: AccountId, standing: GroupStanding) =>
    onChange({ members: plan.members.map((one) => (one.account === account ? { ...one, standing } : one)) });
  return (
    <ul className="group-standings">
      {ranked.map(({ value, label }) => (
        <li key={value}>
          <span>{label}</span>
          <Select
            size="small"
            value={plan.members.find((one) => one.account === value)?.standing ?? "member"}
            options={STANDINGS.map((standing) => ({ value: standing, label: t(`talk.standing.${standing}`) }))}
            aria-label={t("talk.standingOf", { name: label })}
            data-testid={`standing-${value}`}
            onChange={(standing: GroupStanding) => put(value, standing)}
          />
        </li>
      ))}
    </ul>
  );
}

type SiteOption = { value: string; label: string; longitude: number; latitude: number };

function AreaFields({ area, sites, onChange }: { area: GroupArea | null; sites: readonly SiteOption[]; onChange: (area: GroupArea) => void }) {
  const { t } = useTranslation();
  if (area === null) return null;
  if (area.type === "subtree") {
    return (
      <label>
        <span>{t("talk.subtreeOf")}</span>
        <Select
          showSearch
          value={area.root}
          options={[...sites]}
          optionFilterProp="label"
          aria-label={t("talk.subtreeOf")}
          onChange={(root: string) => onChange({ type: "subtree", root })}
        />
      </label>
    );
  }
  const { center, radiusM } = area;
  const move = (part: Partial<typeof center>) => onChange({ ...area, center: { ...center, ...part } });
  return (
    <div className="group-rules">
      <label>
        <span>{t("talk.longitude")}</span>
        <InputNumber min={-180} max={180} step={0.001} value={center.longitude} onChange={(value) => value !== null && move({ longitude: value })} />
      </label>
      <label>
        <span>{t("talk.latitude")}</span>
        <InputNumber min={-90} max={90} step={0.001} value={center.latitude} onChange={(value) => value !== null && move({ latitude: value })} />
      </label>
      <label>
        <span>{t("talk.radius")}</span>
        <InputNumber min={1} max={200_000} precision={0} value={radiusM} onChange={(value) => value !== null && onChange({ ...area, radiusM: value })} />
      </label>
    </div>
  );
}

function freshPlan(site: string): GroupPlan {
  return {
    name: "",
    site,
    members: [],
    area: null,
    priority: "routine",
    rules: { talkLimitS: 30, graceS: 3, mediaEndS: 4, queueLength: 8 },
  };
}

function freshArea(kind: (typeof AREAS)[number], site: string, sites: readonly SiteOption[]): GroupArea | null {
  if (kind === "none") return null;
  if (kind === "subtree") return { type: "subtree", root: site };
  const at = sites.find((one) => one.value === site);
  return { type: "circle", center: { longitude: at?.longitude ?? 0, latitude: at?.latitude ?? 0 }, radiusM: 1_000 };
}

/** Who was there keeps his standing. */
function withMembers(plan: GroupPlan, accounts: readonly AccountId[]): GroupPlan["members"] {
  return accounts.map((account) => plan.members.find((one) => one.account === account) ?? { account, standing: "member" });
}

/** The own site and those below it. */
function useSites(): SiteOption[] {
  const sites = useReplica((replica) => replica.sites);
  const own = useReplica((replica) => replica.me.site);
  return useMemo(
    () =>
      [...sites.values()]
        .filter((site) => site.commanded || site.code === own)
        .map((site) => ({ value: site.code, label: site.name, longitude: site.place.longitude, latitude: site.place.latitude })),
    [sites, own],
  );
}

type MemberOption = { value: AccountId; label: string; field: boolean };

/** Centres by their sites' accounts, and the people in the field; whoever is in already, too. */
function useMembers(plan: GroupPlan): MemberOption[] {
  const { t } = useTranslation();
  const sites = useSites();
  const people = useReplica((replica) => replica.people);
  const me = useReplica((replica) => replica.me);
  return useMemo(() => {
    const options = new Map<AccountId, string>();
    const centres = new Set<AccountId>([me.account, ...sites.map((site) => site.value)]);
    options.set(me.account, me.name);
    for (const site of sites) if (site.value !== me.site) options.set(site.value, site.label);
    for (const person of people.values()) options.set(person.account, `${person.name}（${t("role.field")}）`);
    for (const { account } of plan.members) if (!options.has(account)) options.set(account, account);
    return [...options].map(([value, label]) => ({ value, label, field: !centres.has(value) }));
  }, [sites, people, me, plan.members, t]);
}
