/** The look, for a style sheet that is constructed: the page's own policy for styles does not reach it, and nothing leaks in or out. */

export const STYLE = `
:host{all:initial;--brand:#0b6b61;--on:#fff;--ink:light-dark(#1d2326,#eceff0);--soft:light-dark(#566167,#aab4b9);--line:light-dark(#dfe4e6,#3a4347);--edge:light-dark(#879298,#7d888d);--ground:light-dark(#fff,#1b2023);--sunk:light-dark(#f2f5f5,#14181a);--raised:light-dark(#fff,#252b2e);--link:color-mix(in oklab,var(--brand),light-dark(#000 12%,#fff 45%));--tint:color-mix(in oklab,var(--brand) 12%,var(--ground));--bad:light-dark(#a3231a,#ffb4a8);--warn:light-dark(#fff1d6,#46350d);--good:light-dark(#17692f,#8fd6a1);color-scheme:light dark;position:fixed;z-index:2147483000;inset:auto 20px 20px auto;display:block;color:var(--ink);font:400 15px/1.45 system-ui,"Segoe UI",Roboto,"Noto Sans",sans-serif;text-align:start}
:host([data-side=left]){inset:auto auto 20px 20px}
:host([hidden]),[hidden]{display:none!important}
.room{block-size:100%}ul:empty{display:none}
*,::before,::after{box-sizing:border-box}
h2,h3,p,ul,ol,fieldset,legend{margin:0;padding:0;border:0}
h2{font-size:23px;line-height:1.2;letter-spacing:-.02em}h3{font-size:16px;line-height:1.3}
ul,ol{list-style:none}svg{display:block}button,input,textarea,select{font:inherit;color:inherit}button{cursor:pointer}
a{color:var(--link);text-underline-offset:.18em}
:focus-visible{outline:3px solid light-dark(#000,#fff);outline-offset:2px;box-shadow:0 0 0 2px light-dark(#fff,#000)}
.icon{inline-size:20px;block-size:20px;flex:none;fill:none;stroke:currentColor;stroke-width:1.75;stroke-linecap:round;stroke-linejoin:round}
.unseen{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.soft{color:var(--soft);font-size:14px}
.sign{display:grid;place-items:center;flex:none;inline-size:44px;block-size:44px;padding:0;background:none;border:0;border-radius:10px}
.sign:hover{background:color-mix(in oklab,currentColor 10%,transparent)}
.go{display:flex;align-items:center;justify-content:center;gap:8px;min-block-size:44px;inline-size:100%;padding:8px 16px;background:var(--brand);color:var(--on);border:0;border-radius:10px;font-weight:600}
.go:hover{background:color-mix(in oklab,var(--brand),#000 14%)}
.quiet{min-block-size:44px;padding:8px 12px;background:none;border:1px solid var(--edge);border-radius:10px}.quiet:hover{background:var(--sunk)}
.face{display:grid;place-items:center;flex:none;inline-size:36px;block-size:36px;border-radius:50%;background:light-dark(oklch(.9 .055 var(--hue)),oklch(.38 .07 var(--hue)));color:light-dark(oklch(.36 .11 var(--hue)),oklch(.92 .05 var(--hue)));font-size:13px;font-weight:700}
.launcher{display:grid;justify-items:end;gap:12px}:host([data-side=left]) .launcher{justify-items:start}
.open{position:relative;display:grid;place-items:center;inline-size:60px;block-size:60px;padding:0;background:var(--brand);color:var(--on);border:0;border-radius:50%;box-shadow:0 4px 16px #0004}.open .icon{inline-size:28px;block-size:28px}
.count{position:absolute;inset:-4px -4px auto auto;min-inline-size:24px;block-size:24px;padding-inline:6px;background:#b3261e;color:#fff;border:2px solid var(--ground);border-radius:12px;font-size:13px;font-weight:700;line-height:20px;text-align:center}
.peek{position:relative;display:grid;grid-template-columns:auto 1fr 44px;gap:12px;max-inline-size:300px;padding:12px 4px 12px 14px;background:var(--raised);border-radius:18px 18px 6px;box-shadow:0 4px 20px #0003}
.peek button.words{padding:0;background:none;border:0;text-align:start;overflow-wrap:anywhere}
.widget{display:grid;grid-template:auto auto minmax(0,1fr) auto/minmax(0,1fr);inline-size:380px;block-size:min(704px,100dvh - 40px);overflow:hidden;background:var(--ground);border-radius:18px;box-shadow:0 8px 40px #0005}
.bar{display:flex;align-items:center;gap:8px;min-block-size:64px;padding:8px;border-block-end:1px solid var(--line)}.bar .who{flex:1;min-inline-size:0}.bar h3,.bar p{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.menu{position:relative}.menu ul{position:absolute;z-index:2;inset:48px 0 auto auto;inline-size:260px;padding:6px;background:var(--raised);border-radius:12px;box-shadow:0 4px 24px #0004}.menu button.item{inline-size:100%;min-block-size:44px;padding:8px 12px;background:none;border:0;border-radius:8px;text-align:start}.menu button.item:hover{background:var(--sunk)}
.lost{grid-row:2;display:flex;gap:12px;align-items:center;padding:8px 16px;background:var(--warn);font-size:14px}
.scroll{grid-row:3;overflow:auto;overscroll-behavior:contain;scrollbar-width:thin}
.home{background:linear-gradient(var(--brand) 210px,var(--sunk) 330px);grid-row:1/5}
.greeting{padding:12px 12px 20px 20px;color:var(--on)}.greeting .top{display:flex;align-items:center;gap:12px}.greeting img{block-size:32px;max-inline-size:120px}.greeting .team{display:flex;margin-inline:auto 0}.greeting .face{border:2px solid var(--brand);margin-inline-start:-6px}.greeting h2{margin-block-start:12px}
.cards{display:grid;gap:10px;padding:0 16px 16px}.card{display:grid;gap:12px;padding:16px;background:var(--raised);border-radius:14px;box-shadow:0 1px 4px #0002}
.dot::before{content:"";display:inline-block;inline-size:9px;block-size:9px;margin-inline-end:7px;border:2px solid;border-radius:50%}.dot.good{color:var(--good);font-weight:600}.dot.good::before{background:currentColor}
.rows a,.rows button{display:flex;align-items:center;gap:12px;min-block-size:44px;inline-size:100%;padding:8px 10px;color:var(--ink);background:none;border:0;border-radius:10px;text-align:start;text-decoration:none;overflow-wrap:anywhere}.rows a:hover,.rows button:hover{background:var(--tint)}.rows span{flex:1;min-inline-size:0}.rows small{display:block;color:var(--soft);font-size:13px}.rows .face{flex:none}
mark{background:color-mix(in oklab,var(--brand) 22%,transparent);color:inherit;border-radius:3px}
.input{inline-size:100%;min-block-size:44px;padding:8px 12px;background:var(--ground);border:1px solid var(--edge);border-radius:10px;font-size:16px}textarea.input{min-block-size:96px;resize:vertical}
form.sheet,.sheet{display:grid;align-content:start;gap:14px;padding:20px 16px}.sheet label,.sheet legend{display:block;margin-block-end:4px;font-weight:600}.sheet .choice{display:flex;gap:8px;align-items:center;min-block-size:32px;font-weight:400}
.wrong{color:var(--bad);font-size:14px}
.talk{display:flex;flex-direction:column;gap:12px;padding:16px}
.event{display:flex;align-items:center;gap:12px;color:var(--soft);font-size:13px;text-align:center}.event::before,.event::after{content:"";flex:1;min-inline-size:12px;block-size:1px;background:var(--line)}
.turn{display:grid;grid-template-columns:28px minmax(0,1fr);gap:4px 8px;max-inline-size:92%}.turn>.face{align-self:end;inline-size:28px;block-size:28px;font-size:11px}.turn>*{grid-column:2}.turn>.face{grid-column:1;grid-row:1}
.said{justify-self:start;padding:10px 14px;background:light-dark(#eef1f2,#2b3235);border-radius:18px 18px 18px 5px;white-space:pre-wrap;overflow-wrap:anywhere}.said.rich{white-space:normal}.said.rich>*+*{margin-block-start:8px}.said ul,.said ol,.article ul,.article ol{padding-inline-start:20px;list-style:revert}
.mine{align-self:flex-end;grid-template-columns:minmax(0,1fr)}.mine>*{grid-column:1}.mine .said{justify-self:end;background:var(--brand);color:var(--on);border-radius:18px 18px 5px}.mine .said a{color:inherit}.mine .meta{text-align:end}.mine.pending .said{opacity:.75}
.meta{color:var(--soft);font-size:13px}
.pushed{display:grid;gap:4px;padding:12px 14px;inline-size:100%;color:var(--ink);background:var(--ground);border:1px solid var(--edge);border-radius:14px;text-align:start;text-decoration:none}.pushed small{display:flex;gap:6px;color:var(--soft)}
.file{display:flex;gap:8px;align-items:center;padding:8px 12px;background:none;border:1px solid var(--edge);border-radius:10px;overflow-wrap:anywhere}
.replies{display:flex;flex-wrap:wrap;gap:8px}.replies button{min-block-size:40px;padding:6px 14px;color:var(--link);background:none;border:1.5px solid currentColor;border-radius:20px}
.typing .said{display:flex;gap:4px;padding-block:15px}.typing i{inline-size:7px;block-size:7px;border-radius:50%;background:var(--soft);animation:nod 1.2s infinite}.typing i:nth-child(3){animation-delay:.15s}.typing i:nth-child(4){animation-delay:.3s}@keyframes nod{30%{translate:0 -4px}}
.place{display:grid;justify-items:center;gap:4px;padding:20px 16px;background:var(--tint);border-radius:14px;text-align:center}.place b{font-size:42px;line-height:1.1;color:var(--link)}
.composer{grid-row:4;padding:8px 12px 12px;border-block-start:1px solid var(--line)}.box{display:flex;align-items:flex-end;padding:2px;border:1px solid var(--edge);border-radius:24px}.box:has(textarea:focus-visible){outline:3px solid light-dark(#000,#fff);outline-offset:2px}.box textarea{flex:1;min-inline-size:0;block-size:44px;max-block-size:128px;padding:10px 0;background:none;border:0;outline:0;box-shadow:none;resize:none;field-sizing:content;font-size:16px}.box .sign{border-radius:50%}.box .send{background:var(--brand);color:var(--on)}.attach{cursor:pointer;position:relative}.attach:focus-within{outline:3px solid light-dark(#000,#fff)}
.held{display:flex;flex-wrap:wrap;gap:6px;padding-block-end:6px}
.article{padding:16px;overflow-wrap:anywhere}.article>*+*{margin-block-start:12px}.article img{max-inline-size:100%;block-size:auto}.article table{border-collapse:collapse}.verdict{display:grid;gap:12px;padding-block-start:16px;border-block-start:1px solid var(--line)}.verdict p:not(.wrong){display:flex;flex-wrap:wrap;gap:8px}.verdict .quiet{display:flex;flex:1 1 140px;gap:8px;align-items:center;justify-content:center}.article td,.article th{padding:6px 8px;border:1px solid var(--line);text-align:start}
@media(width<480px){:host([data-open]){inset:0}.widget{inline-size:100%;block-size:100%;border-radius:0}}
@media(prefers-reduced-motion:reduce){.typing i{animation:none}}
@media(forced-colors:active){.open,.go,.said,.send{border:1px solid}}
`;
