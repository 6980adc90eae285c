/** A page of a uni-app project built for H5, where `uni.login` only fails. */

import { login } from 'mashang/uni';

window.uni = { login: ({ fail }) => fail({ errMsg: "login:fail method 'uni.login' not supported" }) };
window.login = login;
document.documentElement.dataset.ready = '';
