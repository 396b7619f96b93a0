import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import en from "./en.json";
import zhCN from "./zh-CN.json";

export const LANGUAGES = ["zh-CN", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

const STORAGE_KEY = "liandong.language";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof zhCN };
    returnNull: false;
  }
}

function firstLanguage(): Language {
  // Chinese first: the browsers of many office PCs say English.
  return localStorage.getItem(STORAGE_KEY) === "en" ? "en" : "zh-CN";
}

function follow(language: string): void {
  document.documentElement.lang = language;
  document.title = i18next.t("app.name");
}

export async function startI18n(): Promise<void> {
  i18next.on("languageChanged", follow);
  await i18next.use(initReactI18next).init({
    resources: { "zh-CN": { translation: zhCN }, en: { translation: en } },
    lng: firstLanguage(),
    fallbackLng: "zh-CN",
    interpolation: { escapeValue: false },
  });
}

export function changeLanguage(language: Language): void {
  localStorage.setItem(STORAGE_KEY, language);
  void i18next.changeLanguage(language);
}
