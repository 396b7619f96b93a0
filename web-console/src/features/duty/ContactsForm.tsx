import { DeleteOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { Contact } from "../../protocol/generated/Contact";
import type { SiteContacts } from "../../protocol/generated/SiteContacts";
import { useAttempt } from "../../ui/useAttempt";
import { PersonFields } from "./PersonFields";

const MOST = 8;
const NOBODY: Contact = { name: "", account: null, phone: null };

/** Whom to ring for a site after whoever is on duty, in this order; the deputy last. */
export function ContactsForm({ site, known, onClose }: { site: string; known: SiteContacts | null; onClose: () => void }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const name = useReplica((replica) => replica.sites.get(site)?.name ?? site);
  const [contacts, setContacts] = useState<readonly Contact[]>(known?.contacts ?? [NOBODY]);
  const [deputy, setDeputy] = useState<Contact>(known?.deputy ?? NOBODY);
  const named = (contact: Contact) => contact.name.trim() !== "";

  function save() {
    const what = { type: "setContacts", site, contacts: contacts.filter(named), deputy: named(deputy) ? deputy : null } as const;
    attempt(async () => {
      await order({ type: "duty", order: what });
      onClose();
    }, t("duty.contactsSaved"));
  }

  return (
    <Modal
      open
      width={720}
      title={t("duty.contactsOf", { site: name })}
      okText={<span data-testid="contacts-save">{t("duty.save")}</span>}
      cancelText={t("common.cancel")}
      okButtonProps={{ loading: busy }}
      onOk={save}
      onCancel={onClose}
    >
      <div className="duty-form">
        <p className="duty-hint">{t("duty.contactsHint")}</p>
        {contacts.map((contact, index) => (
          // oxlint-disable-next-line react/no-array-index-key -- a contact has no number of its own
          <div key={index} className="duty-contact">
            <strong className="ld-number">{index + 1}</strong>
            <PersonFields
              value={contact}
              testId={`contact-${index}`}
              onChange={(changed) => setContacts(contacts.map((one, at) => (at === index ? changed : one)))}
            />
            <Button
              type="text"
              danger
              icon={<DeleteOutlined aria-hidden />}
              aria-label={t("duty.removeContact")}
              onClick={() => setContacts(contacts.filter((_, at) => at !== index))}
            />
          </div>
        ))}
        <Button icon={<PlusOutlined aria-hidden />} disabled={contacts.length >= MOST} onClick={() => setContacts([...contacts, NOBODY])}>
          {t("duty.addContact")}
        </Button>
        <div className="duty-contact">
          <strong>{t("duty.deputy")}</strong>
          <PersonFields value={deputy} testId="deputy" onChange={setDeputy} />
        </div>
      </div>
    </Modal>
  );
}
