# Words that panel and tour pages share. Terms follow ISO 22400 and GB/T names.

## Machine states: at most 4 characters
state-executing = 运行
state-stopped = 停机
state-starved = 待料
state-blocked = 堵料
state-changeover = 换型
state-idle = 待机
state-out_of_service = 停用
state-unknown = 无数据

## Figures: name, and what is divided by what
kpi-utilization = 设备利用率
kpi-utilization-of = 执行 ÷ 已观测计划时间
kpi-first_pass_yield = 一次合格率
kpi-first_pass_yield-of = 合格 ÷ 已判 · n = { $n }
kpi-takt = 节拍
kpi-takt-of = 已观测计划时间 ÷ 件数 · n = { $n }
kpi-good = 下线合格
kpi-good-of = 件；目标 = 计划时间 ÷ { $takt } s
kpi-scrap = 报废
kpi-scrap-of = 件
kpi-inspection_pass = 检验合格
kpi-inspection_reject = 检验剔除
kpi-inspection_ask = 待人工判

unit-parts = 件
unit-s = s
unit-min = 分
unit-h = 时
unit-d = 天

window-shift = 本班
window-hour = 本小时
shift-day = 白班
shift-night = 夜班

verdict-PASS = 合格
verdict-REJECT = 剔除
verdict-ASK = 待判

## Marks
mark-sim = 模拟数据
mark-stale = 过时 { $span }
mark-delayed = 延时 { $span }
mark-replay = 回放 { $date }
stopped-at = 停在 { $time }
no-data-since = { $time } 起无数据
no-data = 无数据
seen-only = 仅已观测
too-few = n < 30，不显示
target = 目标 { $value }
coverage = 覆盖 { $share } %
ago = { $span }前
since = { $time } 起
span = { $n } { $unit ->
   *[s] 秒
    [min] 分
    [h] 时
    [d] 天
}

## Stop reasons of the line file; one without words is shown as it stands
reason-die-stuck = 粘模
reason-ladle-fault = 给汤故障
reason-die-protection = 模具保护动作
reason-feeder-jam = 送料卡住
reason-gripper-lost = 抓件丢失
reason-tool-worn = 刀具磨损
reason-screw-jam = 螺钉卡住
reason-part-missing = 缺件
reason-label-jam = 贴标卡住
reason-tester-fault = 测试仪故障
