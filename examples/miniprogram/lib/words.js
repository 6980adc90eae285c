/** Every sentence, in both languages. `ask` is by the purposes of the phone API, `errors` and `again` by its error names. */

const zh = {
  asking: '正在读取登录请求…',
  ask: {
    sign_in: { title: '确认登录？', approve: '登录', warning: '只有当您自己正在登录这个网站时才点“登录”。', approved: '已登录，请回到网页。' },
    link: {
      title: '绑定到下面的账号？',
      approve: '绑定',
      warning: '这不是登录：绑定后，您的微信以后登录的都是这个账号。只有它是您自己的账号、而且正是您自己在网页上操作时才点“绑定”。昵称由对方自己填写，不能证明身份。',
      approved: '已绑定，请回到网页。',
    },
  },
  account: '账号昵称',
  site: '网站',
  host: '域名',
  device: '浏览器',
  address: '网络地址',
  at: '时间',
  number: '输入网页上显示的数字',
  numberOnce: '只能输入一次，输错本次登录即作废。',
  deny: '拒绝',
  withoutCamera: '您不是用相机扫码打开的，而是通过图片、聊天或链接。别人可能发来了他自己的二维码：除非网页是您自己打开的，请点“拒绝”。',
  sharePhone: '提供手机号',
  phoneShared: '手机号已提供。',
  phoneFailed: '手机号没有提供成功，但不影响您继续确认。',
  close: '可以关闭此页面了。',
  done: {
    denied: '已拒绝，什么也没有发生。',
    wrong_number: '数字不对，本次登录已作废。请在网页上重新获取二维码。',
  },
  /** What can be answered again, by the same buttons. */
  again: {
    network: '网络不通。请检查网络后再点一次；网页上已经有结果的话，就不用再点。',
    too_many: '操作太频繁，请一分钟后再点一次。',
    busy: '登录服务繁忙，请稍后再点一次。',
    unexpected: '登录服务的回答无法识别，请稍后再点一次。',
  },
  errors: {
    no_code: '请扫描网站登录页上的二维码来打开此小程序。',
    unknown_login: '二维码已失效，请在网页上刷新后再扫。',
    taken: '另一部手机已经扫描了这个二维码。如果不是您，请在网页上刷新二维码。',
    finished: '这次登录已经处理过了。',
    unauthorized: '无法确认您的身份，请重新扫码。',
    person_disabled: '您的账号已被停用，请联系网站管理员。',
    person_refused: '微信拒绝了您的账号，再扫也一样。请在微信里查看，或联系网站管理员。',
    way_not_admitted: '这个网站不接受这种登录方式，请在网页上换一种。',
    code_refused: '微信没有确认您的身份，请重新扫码。',
    identity_in_request: '小程序发送了不该发送的内容，请联系网站管理员。',
    bad_request: '小程序与登录服务不匹配，请联系网站管理员。',
    too_many: '操作太频繁，请一分钟后再试。',
    platform_unavailable: '微信暂时没有响应，请稍后重新扫码。',
    platform_setup: '网站的微信登录配置有误，请联系网站管理员。',
    busy: '登录服务繁忙，请稍后重新扫码。',
    network: '网络不通，请检查网络后重新扫码。',
    unknown_purpose: '这个小程序的版本不认识这种请求，因此不能确认。请更新小程序，或联系网站管理员。',
    unexpected: '登录服务的回答无法识别，请稍后重新扫码。',
  },
};

const en = {
  asking: 'Reading the login request…',
  ask: {
    sign_in: { title: 'Sign in?', approve: 'Sign in', warning: 'Press “Sign in” only if you yourself are signing in to this website right now.', approved: 'Signed in. Go back to the web page.' },
    link: {
      title: 'Link to this account?',
      approve: 'Link',
      warning: 'This is not a sign-in: once linked, your WeChat signs in to this account. Press “Link” only if the account is your own and it is you who is at that web page. Its nickname was chosen by whoever asks and proves nothing.',
      approved: 'Linked. Go back to the web page.',
    },
  },
  account: 'Nickname of the account',
  site: 'Website',
  host: 'Domain',
  device: 'Browser',
  address: 'Network address',
  at: 'Time',
  number: 'Type the number shown on the web page',
  numberOnce: 'One try: a wrong number ends this login.',
  deny: 'Refuse',
  withoutCamera: 'You opened this from a picture, a chat or a link, not by scanning with the camera. Somebody may have sent you a code of theirs: unless you opened the web page yourself, press “Refuse”.',
  sharePhone: 'Share my phone number',
  phoneShared: 'Phone number shared.',
  phoneFailed: 'Your phone number was not passed on. You can go on without it.',
  close: 'You can close this page.',
  done: {
    denied: 'Refused. Nothing has happened.',
    wrong_number: 'That is not the number; this login is over. Get a new code on the web page.',
  },
  again: {
    network: 'No connection. Check the network and press again, unless the web page shows the outcome already.',
    too_many: 'Too many attempts. Please press again in a minute.',
    busy: 'The login server is busy. Please press again a little later.',
    unexpected: 'The login server gave an unknown answer. Please press again a little later.',
  },
  errors: {
    no_code: 'Open this mini-program by scanning the code on a website’s login page.',
    unknown_login: 'This code is no longer valid. Refresh it on the web page and scan again.',
    taken: 'Another phone has already scanned this code. If that was not you, refresh it on the web page.',
    finished: 'This login has already been answered.',
    unauthorized: 'Who you are could not be confirmed. Please scan again.',
    person_disabled: 'Your account has been switched off. Please ask the website’s administrator.',
    person_refused: 'WeChat refused your account; scanning again will not help. Look in WeChat, or ask the website’s administrator.',
    way_not_admitted: 'This website does not take this way to sign in. Please choose another one on the web page.',
    code_refused: 'WeChat did not confirm who you are. Please scan again.',
    identity_in_request: 'The mini-program sent what it must not send. Please tell the website’s administrator.',
    bad_request: 'The mini-program does not fit the login server. Please tell the website’s administrator.',
    too_many: 'Too many attempts. Please try again in a minute.',
    platform_unavailable: 'WeChat is not answering. Please scan again a little later.',
    platform_setup: 'The website’s WeChat login is set up wrongly. Please tell its administrator.',
    busy: 'The login server is busy. Please scan again a little later.',
    network: 'No connection. Check the network and scan again.',
    unknown_purpose: 'This version of the mini-program does not know such a request, so you cannot confirm it. Update the mini-program, or tell the website’s administrator.',
    unexpected: 'The login server gave an unknown answer. Please scan again a little later.',
  },
};

/** The words for a language as WeChat names it (`zh_CN`, `zh_TW`, `en`, …); Chinese for everything that is not English. */
function wordsFor(language) {
  return /^en/i.test(language || '') ? en : zh;
}

module.exports = { zh, en, wordsFor };
