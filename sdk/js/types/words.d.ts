/** The language to use: as asked, else the page's, else the person's. @param {string | null} [asked] */
export function language(asked?: string | null): "zh-CN" | "en";
export function wordsOf(lang: string): Words & Record<string, string>;
export type Words = typeof ZH;
declare namespace ZH {
    let title: string;
    let ways: string;
    let close: string;
    let number: string;
    let refresh: string;
    let again: string;
    let scanned: string;
    let approved: string;
    let denied: string;
    let wrong_number: string;
    let expired: string;
    let qr: string;
    let copy: string;
    let copied: string;
    let window: string;
    let blocked: string;
    let server: string;
    let local: string;
    let origin: string;
    let warning: string;
}
export {};
