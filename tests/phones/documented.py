"""The parameters that each maker documents, of those that we use: {N} is a number from 1 (Snom's keys: from 0)."""

YEALINK = """
static.auto_provision.server.url static.auto_provision.power_on static.auto_provision.repeat.enable
static.auto_provision.repeat.minutes static.auto_provision.pnp_enable static.auto_provision.dhcp_option.enable
static.security.user_password static.network.lldp.enable lang.gui lang.wui voice.tone.country
local_time.ntp_server1 local_time.manual_ntp_srv_prior local_time.time_format local_time.time_zone local_time.summer_time
local_time.dst_time_type local_time.start_time local_time.end_time local_time.offset_time
remote_phonebook.data.{N}.name remote_phonebook.data.{N}.url directory.incoming_call_match_enable
account.{N}.enable account.{N}.label account.{N}.display_name account.{N}.auth_name account.{N}.user_name account.{N}.password
account.{N}.sip_server.{N}.address account.{N}.sip_server.{N}.port account.{N}.sip_server.{N}.transport_type
account.{N}.sip_server.{N}.expires account.{N}.srtp_encryption account.{N}.dtmf.type account.{N}.subscribe_mwi
account.{N}.codec.pcma.enable account.{N}.codec.pcma.priority account.{N}.codec.pcmu.enable account.{N}.codec.pcmu.priority
account.{N}.codec.g722.enable account.{N}.codec.g722.priority account.{N}.codec.g729.enable account.{N}.codec.opus.enable
voice_mail.number.{N} linekey.{N}.type linekey.{N}.line linekey.{N}.value linekey.{N}.label
transfer.dsskey_deal_type
"""
"""Yealink, 'SIP-T2 Series/T4 Series/T5 Series IP Phones Auto Provisioning Guide' V84 and V86, appendix 'Description of
Configuration Parameters in CFG Files'; the template files common.cfg and mac.cfg that Yealink publishes with each firmware."""

SNOM = """
setting_server prov_polling_enabled prov_polling_mode prov_polling_period pnp_config admin_mode admin_mode_password http_user
http_pass language web_language tone_scheme ntp_server timezone utc_offset dst user_active user_realname user_idle_text user_name
user_pname user_pass user_host user_outbound user_expiry user_srtp user_savp codec_priority_list user_mailbox
"""
"""Snom, https://service.snom.com/display/wiki/Desk+Phone+Configuration+Files and https://service.snom.com/display/wiki/Settings"""

GRANDSTREAM_GXP = """
P2 P3 P30 P32 P33 P34 P35 P36 P47 P57 P58 P59 P64 P130 P145 P183 P193 P194 P212 P237 P246 P270 P271 P1362 P330 P331 P332
P401 P402 P404 P405 P406 P407 P412 P417 P426 P443 P448 P451 P452 P453 P501 P502 P504 P505 P506 P507 P512 P517 P526 P543 P548 P551
P552 P553 P301 P302 P303 P304 P305 P306 P307 P308 P309 P310 P311 P312 P313 P314 P315 P316 P317 P318 P319 P320 P321 P323 P324 P325
P326 P327 P328 P329 P353 P354 P355 P356
"""
"""Grandstream, 'GXP16xx / GXP21xx configuration template' (config-template.zip at www.grandstream.com/support/tools)."""

GRANDSTREAM_HT = """
P2 P3 P30 P32 P34 P35 P36 P47 P57 P58 P64 P91 P99 P130 P145 P183 P191 P193 P212 P228 P237 P246 P271 P22296 P401 P443 P703 P709 P710
P732 P734 P735 P736 P747 P751 P757 P758 P791 P830
"""
"""Grandstream, 'HT801/HT802 configuration template'; P91, P791 and P710 as in its older HT502 template."""

CISCO = """
Profile_Rule Provision_Enable Resync_On_Reset Resync_Periodic DHCP_Option_To_Use Admin_Password User_Password Language_Selection
Primary_NTP_Server Time_Zone Daylight_Saving_Time_Enable Daylight_Saving_Time_Rule XML_Directory_Service_Name
XML_Directory_Service_URL Voice_Mail_Number Extension_{N}_ Short_Name_{N}_ Line_Enable_{N}_ Proxy_{N}_ Register_{N}_
Register_Expires_{N}_ SIP_Transport_{N}_ Display_Name_{N}_ User_ID_{N}_ Auth_ID_{N}_ Use_Auth_ID_{N}_ Password_{N}_
Preferred_Codec_{N}_ Second_Preferred_Codec_{N}_ Third_Preferred_Codec_{N}_ Extended_Function_{N}_
"""
"""Cisco, 'IP Phone 6800/7800/8800 Series Multiplatform Phones Provisioning Guide' and 'Administration Guide'."""

POLY = """
device.set device.prov.serverType device.prov.serverType.set device.prov.serverName device.prov.serverName.set
device.dhcp.bootSrvUseOpt device.dhcp.bootSrvUseOpt.set device.auth.localAdminPassword device.auth.localAdminPassword.set
prov.polling.enabled prov.polling.mode prov.polling.period lcl.ml.lang tcpIpApp.sntp.address tcpIpApp.sntp.gmtOffset
tcpIpApp.sntp.daylightSavings.enable tcpIpApp.sntp.daylightSavings.fixedDayEnable
tcpIpApp.sntp.daylightSavings.start.month tcpIpApp.sntp.daylightSavings.start.date tcpIpApp.sntp.daylightSavings.start.time
tcpIpApp.sntp.daylightSavings.start.dayOfWeek tcpIpApp.sntp.daylightSavings.start.dayOfWeek.lastInMonth
tcpIpApp.sntp.daylightSavings.stop.month tcpIpApp.sntp.daylightSavings.stop.date tcpIpApp.sntp.daylightSavings.stop.time
tcpIpApp.sntp.daylightSavings.stop.dayOfWeek tcpIpApp.sntp.daylightSavings.stop.dayOfWeek.lastInMonth
voice.codecPref.G711_A voice.codecPref.G711_Mu voice.codecPref.G722 reg.{N}.address reg.{N}.label reg.{N}.displayName
reg.{N}.auth.userId reg.{N}.auth.password reg.{N}.server.{N}.address reg.{N}.server.{N}.port reg.{N}.server.{N}.transport
reg.{N}.server.{N}.expires msg.mwi.{N}.callBackMode msg.mwi.{N}.callBack attendant.reg attendant.resourceList.{N}.address
attendant.resourceList.{N}.label attendant.resourceList.{N}.type sec.srtp.enable sec.srtp.offer sec.srtp.require
"""
"""Poly, 'Unified Communications Software Administrator Guide' 6.x and 'Poly VVX Business IP Phones Parameter Reference Guide'."""

GIGASET = """
Provisioning.global.ProvisioningServer SystemSettings.global.SipMulticastEnabled Telephony.0.ToneScheme DmGlobal.0.HSIdleDisplay
DmGlobal.0.NtpServer DmGlobal.0.TimeZone SipProvider.0.Name SipProvider.0.Domain SipProvider.0.ProxyServerAddress
SipProvider.0.ProxyServerPort SipProvider.0.RegServerAddress SipProvider.0.RegServerPort SipProvider.0.RegServerRefreshTimer
SipProvider.0.TransportProtocol SipProvider.0.UseSIPS SipProvider.0.SRTP_Enabled SipProvider.0.DTMFTransmission
SipProvider.0.DnsQuery SipProvider.0.FailoverServerEnabled SipProvider.0.OutboundProxyMode SipProvider.0.MWISubscription
hs.RegStatus hs.{HS}.DECT_AC hs.{HS}.DirectAccessDir SipAccount.{HS}.AuthName SipAccount.{HS}.AuthPassword
SipAccount.{HS}.UserName SipAccount.{HS}.DisplayName SipAccount.{HS}.ProviderId SipAccount.{HS}.VoiceMailMailbox
SipAccount.{HS}.VoiceMailActive Netdir.21.Activated CentralBook.0.Name CentralBook.0.ServerURL CentralBook.0.DownloadTime
CentralBook.0.StartWithList WebUIAccounts.1.Password
"""
"""Gigaset, https://teamwork.gigaset.com/gigawiki (N670/N870: Auto-provisioning, parameters; 'Central phone book') and the template it offers there;
the password of its pages as the plugin wazo-gigaset/N870-83.v2.17.2 of wazo-provd-plugins names it; {HS} is the place of a handset."""

PATTON = """
cli version|clock local default-offset|clock local dst-rule|sntp-client|administrator|profile provisioning|destination configuration
location|activation reload graceful|timer|actions|rule|condition|action|profile voip|codec|dtmf-relay|fax transmission
modem transmission|context ip|interface|ipaddress|port|encapsulation|bind|no shutdown|context cs|routing-table|route|remote
no call-waiting|subscriber-number|authentication-service|username|location-service|domain|identity|authentication outbound
authenticate|registration outbound|registrar|lifetime|register auto|context sip-gateway|notify check-sync
"""
"""Patton, 'SmartWare Software Configuration Guide' R6.x: the beginnings of commands."""
