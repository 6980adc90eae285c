/** An operator who is named on every page, and what people agree to there before a code is sent. */

export const LEGAL = `
[legal]
operator = "样例网络科技（北京）有限公司"
contact = "privacy@login.example"
privacy_url = "https://www.login.example/privacy"
terms_url = "https://www.login.example/terms"
icp = "京ICP备12345678号-1"
police_filing = "京公网安备11010502000001号"
`;

export const SMS = '[channel.sms]\nkind = "sms"\norder = 5\n';
