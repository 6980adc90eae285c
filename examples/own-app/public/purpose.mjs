/**
 * What the app knows how to ask, by the purposes of the phone API. A purpose that is not here must be refused: nobody may
 * say yes to what cannot be told.
 */

const ASKS = {
  sign_in: {
    title: '确认登录？ Sign in?',
    approve: '登录 Sign in',
    warning: '只有您自己正在这台电脑上登录时才点“登录”。 Only if you yourself are signing in on that computer.',
    approved: '已登录，请看电脑。 Signed in. Look at the computer.',
  },
  link: {
    title: '绑定到下面的账号？ Link to this account?',
    approve: '绑定 Link',
    warning: '这不是登录：绑定后，您用本 App 登录的都是这个账号。只有它是您自己的账号时才点“绑定”；昵称由对方填写，不能证明身份。 '
      + 'Not a sign-in: once linked, you sign in to this account with this app. Only if it is your own; its nickname proves nothing.',
    approved: '已绑定，请看电脑。 Linked. Look at the computer.',
  },
};

/** The words for a purpose. Throws for one that this app does not know. */
export function asksFor(purpose) {
  if (!Object.hasOwn(ASKS, purpose)) {
    throw new Error('这个版本的 App 不认识这种请求，请更新。 This version of the app does not know such a request; update it.');
  }
  return ASKS[purpose];
}
